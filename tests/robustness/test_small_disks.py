"""Disks that fill up anywhere in a run: a sentence, and on a larger disk the same command goes on."""

import shutil
import subprocess

import pytest

from .counting import Counts, differing, toy


@pytest.fixture
def disk(tmp_path):
    """A small file system."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def resize(disk, kilobytes):
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)


def filled(disk, expected, log, sizes):
    """Run on a disk of each size in turn, then on one that is large enough; return what fell short."""
    for kilobytes in sizes:
        resize(disk, kilobytes)
        outcome = toy(disk / "home", log).outcome()
        if outcome.startswith("traceback") and "No space left on device" not in outcome:
            return f"{kilobytes} kB: {outcome}"  # the command line makes a sentence of the system's own error
        if outcome == "done":
            return f"{kilobytes} kB are enough"
    resize(disk, 64_000)
    outcome = toy(disk / "home", log).outcome()
    shortfall = differing(disk / "home", expected) if outcome == "done" else outcome
    shutil.rmtree(disk / "home")
    return shortfall


@pytest.mark.slow
def test_a_sample_of_small_disks(disk, expected, tmp_path):
    counts = Counts("runs on small disks, a sample")
    counts.add("4,000 kB", filled(disk, expected, tmp_path / "log.txt", [4_000]))
    counts.check()


@pytest.mark.robustness
def test_small_disks(disk, expected, tmp_path):
    counts = Counts("runs on disks that fill up, then go on")
    for first in range(250, 1_250, 250):
        sizes = list(range(first, 5_500, 1_000))
        counts.add(f"{sizes} kB", filled(disk, expected, tmp_path / "log.txt", sizes))
    counts.check()
