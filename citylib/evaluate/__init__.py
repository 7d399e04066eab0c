"""Honest evaluation: splits without leak, losses with masks, intervals that respect dependence.

- `citylib.evaluate.splits`: what a model may see and what it is tried on
- `citylib.evaluate.forecast`: losses of forecasts and of intervals, missing values masked
- `citylib.evaluate.compare`: how sure a mean loss, or a difference of two, is
"""
