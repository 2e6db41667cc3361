"""Intervals, paired tests, bootstrap, ranks, divergences: the only place for them."""
