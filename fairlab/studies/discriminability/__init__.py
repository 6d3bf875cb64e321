"""The command ``discriminability``."""
