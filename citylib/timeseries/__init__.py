"""Series in time: what they remember, models of it, and forecasts from every origin in one pass.

- `citylib.timeseries.identify`: autocorrelation and partial autocorrelation, gaps allowed
- `citylib.timeseries.arima`: ARIMA by the textbook's recursion, and with regressors by the Kalman filter
- `citylib.timeseries.naive`: persistence and seasonal naive, the baselines to beat
"""
