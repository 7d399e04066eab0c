"""Rules that share a budget, one file each: the simplest first, attention last."""
