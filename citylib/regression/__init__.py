"""Regression: design matrices without leak, least squares with honest errors, intervals, diagnosis.

- `citylib.regression.design`: from a frame of readings to named columns of numbers
- `citylib.regression.linear`: least squares with HC3 or gap-aware HAC standard errors
- `citylib.regression.many`: the same for every sensor of a city at once
- `citylib.regression.counts`: Poisson and negative binomial regressions of many series of counts
- `citylib.regression.dispersion`: whether counts vary more than Poisson's law allows
- `citylib.regression.rises`: which of many types came more often this week than their own weeks let expect
- `citylib.regression.separation`: whether a count regression has an answer at all
- `citylib.regression.shrinkage`: each sensor's coefficients drawn towards the city's
- `citylib.regression.intervals`: what is unusual: prediction intervals, plain and by group
- `citylib.regression.diagnostics`: what would make a fit wrong
- `citylib.regression.influence`: which days a fit hangs on
- `citylib.regression.dependence`: columns that repeat others
"""
