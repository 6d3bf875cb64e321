"""Settings of all tests."""

import signal

from hypothesis import settings

# A suite started in the background ignores Ctrl-C, and the processes that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests share the processor with others: how long one example takes says nothing about the code.
settings.register_profile("fairlab", deadline=None)
settings.load_profile("fairlab")
