"""Settings of all tests, and one finished run of the smoke preset that slow tests share."""

import shutil
import signal
import subprocess
import sys

import numpy as np
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


@pytest.fixture(scope="module")
def even_labels():
    """Let annotators give either label to half of the generated images, however little they learnt."""
    from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels

    def upper_half(given):
        return (given.scores > np.median(given.scores)).astype(np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PseudoLabels, "labels", property(upper_half))
        yield


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
