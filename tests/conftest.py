"""Settings of all tests, and one finished run of the smoke preset that slow tests share."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

# One thread for each worker of a parallel run, and for the processes that it starts: more would only wait for
# one another. Set before torch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from filelock import FileLock
from hypothesis import settings

# A suite started in the background ignores Ctrl-C, and the processes that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests share the processor with others: how long one example takes says nothing about the code.
settings.register_profile("fairlab", deadline=None)
settings.load_profile("fairlab")


@pytest.fixture(scope="session")
def smoke_home(tmp_path_factory):
    """Return a home folder with a finished smoke run; read it or add to it, but break nothing.

    The run is made once; each worker of a parallel run has a copy of its own to add to.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    own = tmp_path_factory.getbasetemp() / "smoke"
    if worker is None:
        _smoke_run(own)
        return own
    common = tmp_path_factory.getbasetemp().parent / "smoke"
    with FileLock(f"{common}.lock"):
        if not common.exists():
            _smoke_run(common.with_name("smoke-unfinished"))
            common.with_name("smoke-unfinished").rename(common)
    shutil.copytree(common, own)
    return own


def _smoke_run(home: Path) -> None:
    command = [sys.executable, "-m", "fairlab", "run", "--preset", "smoke", "--home", str(home)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


@pytest.fixture
def prepared_home(smoke_home, tmp_path):
    """Return a home folder of the test's own, in which the smoke preset's images are prepared."""
    shutil.copytree(smoke_home / "prepared", tmp_path / "home" / "prepared")
    return tmp_path / "home"


@pytest.fixture
def one_label(monkeypatch):
    """Return a function after which annotators say of no generated image that it has some attribute."""
    from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels

    honest = PseudoLabels.labels.fget

    def give(*attributes):
        def labels(given):
            return honest(given) * (given.attribute not in attributes)

        monkeypatch.setattr(PseudoLabels, "labels", property(labels))

    return give
