"""How long things last: durations from records, survival curves, models, and how sure they are.

- `citylib.survival.durations`: gap times between failures from a log of dates
- `citylib.survival.histories`: an inventory and a log brought together, every record accounted for
- `citylib.survival.recurrent`: rows (entry, exit, event] of assets that fail again and again, as known on any day
- `citylib.survival.life_table`: who was under watch at each time, in many groups at once
- `citylib.survival.kaplan_meier`: survival curves and cumulative hazards of many groups in one pass
- `citylib.survival.log_rank`: do groups last equally long, all together and in pairs
- `citylib.survival.cumulative_incidence`: several ways to end
- `citylib.survival.contrasts`: groups held to their average, with intervals for all at once
- `citylib.survival.standardised`: how long a group's cases would last with everybody's mix
- `citylib.survival.mean_cumulative`: events that come again
- `citylib.survival.concordance`, `.brier`, `.time_auc`: how good forecasts of survival are
- `citylib.survival.censoring`: the weights that stand in for those who went out of sight
- `citylib.survival.cluster`: intervals when several durations belong to one asset
- `citylib.survival.cox`: Cox regression with delayed entry, strata, weights, clusters and rows that change over time
- `citylib.survival.compare`: models judged on the same unseen rows, every measure with its error and paired differences
- `citylib.survival.conditional`: survival from now on, and hazards beyond what was watched
- `citylib.survival.remaining`: how much longer a thing of a given age lasts
- `citylib.survival.ridge`: the ridge of a Cox regression by cross-validated partial likelihood
- `citylib.survival.cox_residuals`, `citylib.survival.proportionality`: baseline hazards, residuals, and whether hazards
  are proportional
- `citylib.survival.year_rows`, `.rate_design`, `.credibility`, `.break_forecast`: failures expected of every asset and
  of the network, by kind, by an asset's own record and by its neighbours'
- `citylib.survival.catch`: what a ranking finds in the part that can be looked at
- `citylib.survival.replacement`: what to inspect and replace under a budget
"""
