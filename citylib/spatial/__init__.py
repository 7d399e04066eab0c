"""Places next to places: regressions whose values or errors lean on those of neighbours.

- `citylib.spatial.lag_models`: spatial lag and spatial error by maximum likelihood, thousands of places
"""
