"""Metrics of a classifier and two groups: values, paired comparisons, tables."""
