"""Series in time: what they remember, models of them, one sensor's or a whole city's, and forecasts from every origin.

- `citylib.timeseries.identify`: autocorrelation, partial autocorrelation, KPSS, strength of a season, gaps allowed
- `citylib.timeseries.profile`, `citylib.timeseries.decompose`: the usual day of a place, and of every sensor
- `citylib.timeseries.arima`: ARIMA by the textbook's recursion, and with regressors by the Kalman filter
- `citylib.timeseries.many`: ARIMA and SARIMA for every sensor in one call
- `citylib.timeseries.order_choice`: how many differences, and which order for each sensor
- `citylib.timeseries.garch`: the variance of what comes next, for many series, gaps allowed
- `citylib.timeseries.arch_effects`: whether shocks come in bursts
- `citylib.timeseries.periodic_ar`: an autoregression that differs by the hour of the day
- `citylib.timeseries.seasonal_arima`: one of those models, to be backtested
- `citylib.timeseries.smoothing`, `citylib.timeseries.theta`: exponential smoothing, the Theta method
- `citylib.timeseries.naive`: persistence and seasonal naive, the baselines to beat
- `citylib.timeseries.likelihood`, `citylib.timeseries.garch_model`: the likelihoods in plain form; compiled ones beside
  them: `citylib.timeseries.recursion`, `citylib.timeseries.presample`, `citylib.timeseries.fast_filter`,
  `citylib.timeseries.gap_filter`, `citylib.timeseries.kalman`,
  `citylib.timeseries.conditional_variance`, `citylib.timeseries.variance_slopes`
"""
