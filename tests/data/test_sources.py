"""Sources by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairlab.core.errors import UserError
from fairlab.data.sources import open_source


def test_by_name(celeba_root: Callable[..., Path], image_folder: Callable[..., Path]):
    assert open_source("celeba", celeba_root()).name == "celeba"
    root = image_folder("file,Smiling\n1.png,1")
    assert open_source("folder", root, table=root / "labels.csv").counts["train"] == 1
    assert open_source("synthfaces", n_train=2, n_valid=1, n_test=1).counts == {
        "train": 2,
        "valid": 1,
        "test": 1,
    }


def test_unknown_name():
    with pytest.raises(UserError, match="no data source 'celebA2'; did you mean 'celeba'"):
        open_source("celebA2")


def test_missing_root():
    with pytest.raises(UserError, match="'celeba' needs a folder"):
        open_source("celeba")
