"""Settings of all tests, and one finished run of the smoke preset that slow tests share."""

import shutil
import signal
import subprocess
import sys

import pytest
from hypothesis import settings

# A suite started in the background ignores Ctrl-C, and the processes that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests share the processor with others: how long one example takes says nothing about the code.
settings.register_profile("fairlab", deadline=None)
settings.load_profile("fairlab")


@pytest.fixture(scope="session")
def smoke_home(tmp_path_factory):
    """Return a home folder with a finished smoke run; read it or add to it, but break nothing."""
    home = tmp_path_factory.mktemp("smoke")
    command = [sys.executable, "-m", "fairlab", "run", "--preset", "smoke", "--home", str(home)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return home


@pytest.fixture
def prepared_home(smoke_home, tmp_path):
    """Return a home folder of the test's own, in which the smoke preset's images are prepared."""
    shutil.copytree(smoke_home / "prepared", tmp_path / "home" / "prepared")
    return tmp_path / "home"
