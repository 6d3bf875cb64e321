"""One finished toy run, and its determined files."""

import os

import pytest

from .counting import Forked, contents, toy


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A home folder with a finished run; copy it."""
    folder = tmp_path_factory.mktemp("robustness")
    process: Forked = toy(folder / "home", folder / "log.txt")
    assert process.outcome() == "done"
    return folder / "home"


@pytest.fixture(scope="session")
def expected(finished):
    """The bytes of the finished run."""
    return contents(finished)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Numbers are the same to the bit for one number of threads; and a forked process may have no more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(before)
