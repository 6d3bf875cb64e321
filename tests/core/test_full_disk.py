"""A disk that fills up while files are written: one sentence whatever the format, nothing half-written."""

import subprocess

import numpy as np
import pytest
import torch

from fairlab.cli import main
from fairlab.core.errors import UserError
from fairlab.core.files import save_array, write_rows
from fairlab.core.tensors import save_state


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_checkpoint(small_disk):
    with pytest.raises(UserError, match="free some disk space"):
        save_state(small_disk / "state.safetensors", {"weights": torch.zeros(1_000_000)})
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda path: save_array(path, np.zeros(1_000_000)),
        lambda path: write_rows(
            path, (4096, 1024), lambda rows: np.zeros((rows.stop - rows.start, 1024), np.uint8)
        ),
    ],
)
def test_an_array_becomes_the_command_lines_sentence(small_disk, write, monkeypatch, capsys):
    monkeypatch.setattr("fairlab.studies.run.command.run", lambda _: write(small_disk / "array.npy"))
    assert main(["run"]) == 2
    assert "disk is full" in capsys.readouterr().err
