"""Figures, tables and captions."""
