"""Places next to places: who is whose neighbour, whether neighbours are alike, regressions that know of them.

- `citylib.spatial.plane`: degrees to metres, squares laid over a city, points counted in outlines
- `citylib.spatial.weights`: neighbours by borders, distance, the nearest, and along streets
- `citylib.spatial.moran`: Moran's I of the whole map and of each place, and rates made comparable
- `citylib.spatial.lag_models`: spatial lag and spatial error by maximum likelihood, thousands of places
- `citylib.spatial.lag_tests`: does a regression leave space in its residuals, and of which kind
- `citylib.spatial.effects`: what a column does to its own place and to the others, with intervals
- `citylib.spatial.moran_over_time`: Moran's I of what is left over at every step
- `citylib.spatial.orders`: neighbours as a space-time regression sees them: rings of them, or one by one
- `citylib.spatial.space_time`: STAR and ridge VAR on a graph, every sensor in one call, a regression a step ahead
- `citylib.spatial.space_time_choice`: their lags, neighbours and penalty, from the last part of the training steps
- `citylib.spatial.prediction`: what a model expects of hidden places, given the others
"""
