"""Metrics of a binary label between two groups, their paired comparisons and their tables."""
