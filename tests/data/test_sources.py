"""Sources by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairlab.core.errors import UserError
from fairlab.data.sources import SOURCES, open_source
from fairlab.workspace.source import SourceSettings


def test_by_name(celeba_root: Callable[..., Path], image_folder: Callable[..., Path]):
    assert open_source("celeba", celeba_root()).name == "celeba"
    root = image_folder("file,Smiling\n1.png,1\n2.png,1\n3.png,0")
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


def test_a_new_source_is_a_module_and_a_line(tmp_path, monkeypatch):
    code = "class MySource:\n    def __init__(self, root):\n        self.root = root"
    (tmp_path / "my_source.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(SOURCES, "mine", "my_source:MySource")
    settings = SourceSettings("mine", root=str(tmp_path))
    assert settings.open("Smiling", "Male", seed=0).root == tmp_path
