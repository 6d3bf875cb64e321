"""Figures with their captions, and tables."""
