"""Metrics between any number of named groups, of labels and of classes."""
