"""The command ``gan``."""
