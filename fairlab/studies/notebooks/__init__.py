"""The command ``notebooks``."""
