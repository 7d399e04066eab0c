"""Layers that models are made of: attention, patches of a series, low-rank adapters."""
