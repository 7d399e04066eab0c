"""Honest evaluation: splits without leak, losses with masks, intervals that respect dependence.

- `citylib.evaluate.splits`: what a model may see and what it is tried on
- `citylib.evaluate.forecast`: losses of forecasts and of intervals, missing values masked
- `citylib.evaluate.counts`: scores of forecasts that are distributions of counts
- `citylib.evaluate.backtest`: forecasts from rolling origins, and whether one has seen its own future
- `citylib.evaluate.classification`: scores of classes and of probabilities
- `citylib.evaluate.multiclass`: scores of probabilities of several classes, temperatures, what to say of rare ones
- `citylib.evaluate.score_intervals`: how sure such scores are, and differences of them, over blocks of time
- `citylib.evaluate.calibration`: whether probabilities and intervals are true
- `citylib.evaluate.exceedance`: whether thresholds are exceeded as often as they claim
- `citylib.evaluate.compare`: how sure a mean loss, or a difference of two, is
"""
