"""Kills at random moments: the run ends with the bytes of one that was left in peace."""

import random

import pytest

from .counting import Counts, differing, toy


def killed_run(home, log, dice, longest):
    """Run again and again, each time killed after a random while; return how often, and how it ended."""
    for kills in range(200):
        process = toy(home, log)
        process.kill_after(dice.uniform(0.02, longest) * 1.05**kills)
        outcome = process.outcome()
        if outcome != "killed":
            return kills, outcome
    return kills, "it does not come to an end"


def killed(counts, expected, folder, seed):
    """Count one run that is killed until it is done."""
    home = folder / f"home{seed}"
    kills, outcome = killed_run(home, folder / "log.txt", random.Random(seed), 3.0)
    shortfall = differing(home, expected) if outcome == "done" else outcome
    leftovers = [path.name for path in home.rglob("*.partial")]
    counts.add(f"seed {seed}, {kills} kills", shortfall or (f"left over: {leftovers}" if leftovers else None))
    return kills


@pytest.mark.slow
def test_a_sample_of_kills(expected, tmp_path):
    counts = Counts("runs killed at random moments, a sample")
    assert killed(counts, expected, tmp_path, 0) > 0
    counts.check()


@pytest.mark.robustness
def test_kills_at_random_moments(expected, tmp_path):
    counts = Counts("runs killed at random moments until they are done")
    kills = sum(killed(counts, expected, tmp_path, seed) for seed in range(1, 5))
    print(f"\n{kills} kills in all")
    counts.check()
