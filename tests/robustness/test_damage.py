"""Damage to every kind of file of a finished run: the same results or a sentence, never other numbers."""

import itertools
import random
import shutil
from pathlib import Path

import pytest

from .counting import Counts, below, differing, toy

KINDS = ("flip", "cut", "empty", "gone")


def damage(path: Path, kind: str, random: random.Random) -> None:
    """Flip one bit of a file, cut it somewhere, empty it, or take it away."""
    content = bytearray(path.read_bytes())
    if kind == "gone":
        path.unlink()
        return
    place = random.randrange(len(content))
    if kind == "flip":
        content[place] ^= 1 << random.randrange(8)
    path.write_bytes(content if kind == "flip" else content[: place if kind == "cut" else 0])


def after(
    finished: Path, place: Path, file: str, kind: str, seed: int, expected: dict[str, bytes]
) -> str | None:
    """Damage one file of a copy, run again; return what fell short."""
    home = place / "home"
    shutil.copytree(finished, home)
    try:
        damage(home / file, kind, random.Random(f"{seed} {file} {kind}"))
        outcome = toy(home, place / "log.txt").outcome()
        if outcome == "done":
            return differing(home, expected) or _report(home)
        return outcome if outcome.startswith("traceback") else None
    finally:
        shutil.rmtree(home)


def _report(home: Path) -> str | None:
    whole = (home / "runs" / "toy" / "report.html").read_text().rstrip().endswith("</html>")
    return None if whole else "report.html is not whole"


def names(finished: Path) -> list[str]:
    return [path.relative_to(finished).as_posix() for path in below(finished)]


@pytest.mark.slow
def test_a_sample_of_damage(finished, expected, tmp_path):
    counts, chosen = Counts("damage, a sample"), {}
    for name in names(finished):
        chosen.setdefault(Path(name).suffix, name)  # one of each kind of file
    for file, kind in zip(chosen.values(), itertools.cycle(KINDS), strict=False):
        counts.add(f"{kind} {file}", after(finished, tmp_path, file, kind, 0, expected))
    counts.check()


@pytest.mark.robustness
@pytest.mark.parametrize("kind", KINDS)
def test_damage_to_every_file(finished, expected, tmp_path, kind):
    counts = Counts(f"damage ({kind}) to every file of a finished run")
    for file in names(finished):
        for seed in range(2 if kind == "flip" else 1):
            counts.add(f"{kind} {file}", after(finished, tmp_path, file, kind, seed, expected))
    counts.check()
