"""Intervals and p-values: bootstrap, jackknife, Wilson's interval, Holm's method."""
