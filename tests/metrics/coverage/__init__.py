"""How often 95% intervals hold the truth: `python -m tests.metrics.coverage` writes the tables."""
