"""Neural networks for a city's sensors: windows of readings, small models, one readable training loop.

- `citylib.neural.windows`: readings cut into histories and targets that never cross the split, and into days
- `citylib.neural.scaling`: each sensor's scale, from the training rows only
- `citylib.neural.models.autoencoder`: the autoencoder, and a classifier that starts from it
- `citylib.neural.losses`: what is made small
- `citylib.neural.planted`: faults planted into days, where the truth must be known
- `citylib.neural.train`: training with early stopping on validation data only, resumed after a kill
- `citylib.neural.devices`: CPU, GPU, precision, several processes
- `citylib.neural.checkpoint`: a trained model as safetensors and a manifest (`store`), refused where it does not fit
"""
