"""Settings of all tests."""

from hypothesis import settings

# Tests share the processor with others: how long one example takes says nothing about the code.
settings.register_profile("fairlab", deadline=None)
settings.load_profile("fairlab")
