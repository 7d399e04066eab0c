"""Sharing a limited budget among a city's resources: exact optima, learned policies beside them, feedback.

- `citylib.allocation.problem`: `budget-v1`, effects that nobody is told, and regret against the optimum
- `citylib.allocation.water_filling`: the exact best shares for concave effects, with shadow price and KKT residual
- `citylib.allocation.water_filling_layer`: the same as a layer that gradients pass
- `citylib.allocation.bounds`: minimum shares and caps, by name, and why they cannot be kept
- `citylib.allocation.policy`: what a policy is, from state to shares, and a check that something is one
- `citylib.allocation.policies`: equal, proportional, and networks on softmax or water-filling heads
- `citylib.allocation.learn`: two-stage and decision-focused training
- `citylib.allocation.drift`: `drift-v1`, effects that wander and are seen only by their outcome
- `citylib.allocation.feedback`: rules that decide, observe and adjust
- `citylib.allocation.storage`: a battery and load that can wait, planned over days that may come
- `citylib.allocation.sensor_field`: `sensors-v1`, a field on a graph with jams
- `citylib.allocation.sensor_world`: a panel made ready to be watched; errors and calibration
- `citylib.allocation.sensor_dynamics`: how readings move together, learned from the past with its gaps
- `citylib.allocation.sensor_filter`: one Kalman filter for all rules, in Joseph's form, several runs at once
- `citylib.allocation.sensor_choice`: by chance, in turn, fixed sets, greedy
- `citylib.allocation.sensor_learned`: a linear index and attention that correct the filter's variance
- `citylib.allocation.polling`: how often to visit each monitor
"""
