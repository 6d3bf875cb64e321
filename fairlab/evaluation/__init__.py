"""Evaluation of trained classifiers and of what generated faces show."""
