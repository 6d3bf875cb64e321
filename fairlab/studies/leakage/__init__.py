"""The command ``leakage``."""
