"""Sharing a limited budget among a city's resources: exact optima, learned policies beside them, feedback.

- `citylib.allocation.problem`: `budget-v1`, effects that nobody is told, and regret against the optimum
- `citylib.allocation.water_filling`: the exact best shares for concave effects, with shadow price and KKT residual
- `citylib.allocation.water_filling_layer`: the same as a layer that gradients pass
- `citylib.allocation.bounds`: minimum shares and caps, by name, and why they cannot be kept
- `citylib.allocation.policy`: what a policy is, from state to shares, and a check that something is one
- `citylib.allocation.policies`: equal, proportional, and networks on softmax or water-filling heads
- `citylib.allocation.learn`: two-stage, decision-focused and adversarial training
- `citylib.allocation.attack`: the worst small errors of what is reported
- `citylib.allocation.guard`: falls back to a safe rule where reports cannot be trusted, and says so
- `citylib.allocation.drift`: `drift-v1`, effects that wander and are seen only by their outcome
- `citylib.allocation.feedback`: rules that decide, observe and adjust
- `citylib.allocation.storage`: a battery and load that can wait, planned over days that may come
"""
