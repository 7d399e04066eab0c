"""Traffic lights: a grid in SUMO and in a model of queues behind one interface, and rules that share out the green.

- `citylib.allocation.signals.grid`: junctions, approaches and phases of `grid4-v1`
- `citylib.allocation.signals.demand`: who drives, when and which way
- `citylib.allocation.signals.state`: what a controller sees, the lights, how a run goes
- `citylib.allocation.signals.sumo`: the simulator, an extra
- `citylib.allocation.signals.worker`: a simulation in a process of its own
- `citylib.allocation.signals.score`: delay over all vehicles, those that never arrived as well
- `citylib.allocation.signals.point_queue`: the model, many runs at once, for training
- `citylib.allocation.signals.features`: what a phase can say for itself
- `citylib.allocation.signals.controllers`: the rules
- `citylib.allocation.signals.evolution`: weights by evolution strategies
- `citylib.allocation.signals.tuning`: the same budget of candidates for every rule
"""
