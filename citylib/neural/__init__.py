"""Neural networks for a city's sensors: windows of readings, small models, one readable training loop.

- `citylib.neural.windows`: readings cut into the days of each sensor
- `citylib.neural.models.mlp`: the multilayer perceptron
- `citylib.neural.models.autoencoder`: the autoencoder, and a classifier that starts from it
- `citylib.neural.losses`: what is made small
- `citylib.neural.planted`: faults planted into days, where the truth must be known
- `citylib.neural.train`: training with early stopping on validation data only
"""
