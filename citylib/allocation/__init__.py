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
- `citylib.allocation.travel`: minutes on the way, by the great circle or along directed streets
- `citylib.allocation.demand_points`: many calls put together to few points
- `citylib.allocation.planted_calls`: calls on streets that have none, by a stated law
- `citylib.allocation.placement`: what a choice of sites is, and how far from the best it can be
- `citylib.allocation.mixed_integer`: whole-number programmes with status, bound and gap
- `citylib.allocation.coverage`, `expected_coverage`, `p_median`: where stations and crews stand, exact and greedy
- `citylib.allocation.dispatch`: busy crews, simulated
- `citylib.allocation.hypercube`: the same in closed form for a few crews
- `citylib.allocation.relief`: supplies as a flow of least cost
- `citylib.allocation.patrol`: counts forecast, and fair limits of patrol shares
- `citylib.allocation.explain`: attention maps and gradients of a policy, as candidates for an explanation
- `citylib.allocation.explain_shapley`: leave-one-out and Shapley values
- `citylib.allocation.explain_reasons`: a share told in reasons that a manager knows, which add up
- `citylib.allocation.explain_response`: shadow price, worth of a unit, and exact derivatives of the best shares
- `citylib.allocation.explain_judge`: explanations held against planted sensitivities and the deletion curve
"""
