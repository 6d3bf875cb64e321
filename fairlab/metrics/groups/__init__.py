"""Metrics of any number of named groups, and of classes."""
