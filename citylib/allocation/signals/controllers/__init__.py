"""Rules for the lights, one a file, and what each may be tuned in.

- `fixed_time`: the same green for every phase, whatever comes
- `webster`: green in proportion to the mean flows, with a cycle and offsets
- `actuated`: green as long as somebody comes, up to a maximum
- `max_pressure`: the phase that relieves the most, given what stands ahead
- `linear_index`: a weighted sum of six figures of a phase; the largest wins
- `attention`: the same, after the phases of neighbouring junctions have looked at each other
- `catalogue`: all by name, with the parameters that are tuned and where between
"""
