"""Leakage of a protected label through labels or scores."""
