"""Two identical runs at once: one works, the other says so, and the results are those of one."""

import random
import shutil
import time

import pytest

from .counting import Counts, differing, toy


def at_once(finished, expected, folder, delay):
    """Begin two runs in a home whose steps are made but whose run folder is not; return what fell short."""
    home = folder / "home"
    shutil.copytree(finished, home)
    shutil.rmtree(home / "runs")
    try:
        first = toy(home, folder / "first.txt")
        time.sleep(delay)
        second = toy(home, folder / "second.txt")
        outcomes = sorted([first.outcome(), second.outcome()])
        refused = [outcome for outcome in outcomes if "Another process is working in" in outcome]
        if outcomes.count("done") + len(refused) < 2 or "done" not in outcomes:
            return str(outcomes)
        return differing(home, expected)
    finally:
        shutil.rmtree(home)


@pytest.mark.slow
def test_a_sample_of_two_at_once(finished, expected, tmp_path):
    counts = Counts("two runs at once, a sample")
    for delay in (0, 0.05):
        counts.add(f"{delay} s", at_once(finished, expected, tmp_path, delay))
    counts.check()


@pytest.mark.robustness
def test_two_at_once(finished, expected, tmp_path):
    counts, dice = Counts("two runs at once"), random.Random(0)
    for _ in range(12):
        delay = dice.choice([0, dice.uniform(0, 0.2)])
        counts.add(f"{delay:.3f} s", at_once(finished, expected, tmp_path, delay))
    counts.check()
