"""Neural networks for a city's sensors: windows of readings, small models, one readable training loop.

- `citylib.neural.windows`: readings cut into histories and targets that never cross the split, and into days
- `citylib.neural.scaling`: each sensor's scale, from the training rows only
- `citylib.neural.sequences`: windows of many series, gathered when they are needed
- `citylib.neural.series_bank`: the same of many sources, with their own units, steps and spans
- `citylib.neural.calendar`: the hour and the day of the week as numbers
- `citylib.neural.models.mlp`: the multilayer perceptron
- `citylib.neural.models.autoencoder`: the autoencoder, and a classifier that starts from it
- `citylib.neural.models.patch_transformer`: a transformer over patches of a series, with mask tokens
- `citylib.neural.layers`: attention, patches, low-rank adapters
- `citylib.neural.masks`: which patches to hide
- `citylib.neural.pretrain`: learning to fill what is hidden, or to forecast
- `citylib.neural.finetune`: how much of a pre-trained model may change
- `citylib.neural.augment`: windows with noise, at another size, with holes
- `citylib.neural.plain_fills`: straight lines, last values, the same hour: what a fill must beat
- `citylib.neural.models.sensor_mlp`: one perceptron for all sensors (`sensor_features`: what it is told,
  `sensor_forecast`: fitted before a cut; `sensor_files`: kept)
- `citylib.neural.compress`: networks pruned and taught; `citylib.neural.onnx_files`: written and run in 32 or 8 bits
- `citylib.neural.attribution`, `integrated_gradients`, `occlusion`, `attention_maps`: what an answer hangs on
- `citylib.neural.deletion`: the test that says which of them to believe
- `citylib.neural.explain`: all four asked of a patch transformer
- `citylib.neural.missing_patches`: learning to forecast with parts of the history missing
- `citylib.neural.planted_memory`: series of which the truth is known
- `citylib.neural.losses`: what is made small
- `citylib.neural.planted`: faults planted into days, where the truth must be known
- `citylib.neural.train`: training with early stopping on validation data only, resumed after a kill
- `citylib.neural.devices`: CPU, GPU, precision, several processes
- `citylib.neural.checkpoint`: a trained model as safetensors and a manifest (`store`), refused where it does not fit
- `citylib.neural.pictures`: time-space pictures of traffic, and the level of congestion that each is to foresee
- `citylib.neural.picture_training`: losses on pictures, weights for rare levels
- `citylib.neural.picture_masks`: pre-training on pictures by filling in what is hidden
- `citylib.neural.models.picture_resnet`: a residual network on pictures, with a new head
- `citylib.neural.text_masking`: whoever is named in a text masked before anything learns from it (`text_words`)
- `citylib.neural.text`: byte-pair tokens, losses of causal and masked models, perplexity
- `citylib.neural.models.language_model`: a small transformer over tokens, causal or masked, and a classifier on it
- `citylib.neural.ngram`: n-grams with Kneser-Ney smoothing, which it must beat
- `citylib.neural.note_outcomes`: how a case ended, by phrases of its closure note, and those phrases hidden
- `citylib.neural.routing`: what a new request tells before anyone has worked on it
"""
