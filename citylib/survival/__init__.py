"""How long things last: durations from records, survival curves, and how sure they are.

- `citylib.survival.durations`: gap times between failures from a log of dates
- `citylib.survival.kaplan_meier`: survival curves of many groups in one pass
- `citylib.survival.cluster`: intervals when several durations belong to one asset
- `citylib.survival.cox`: Cox regression with delayed entry, strata, weights, clusters and rows that change over time
- `citylib.survival.cox_residuals`, `citylib.survival.proportionality`: baseline hazards, residuals, and whether hazards
  are proportional
"""
