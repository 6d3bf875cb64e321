"""The page for those who move over: its examples run, in order, and its names exist."""

import re
from pathlib import Path

import pytest

from fairlab.studies.audit.additions import known_metrics

PAGE = (Path(__file__).parents[2] / "docs" / "moving-over.md").read_text("utf-8")


def test_examples_run_and_hold():
    pytest.importorskip("fairlearn")
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) >= 5
    exec("\n".join(blocks), {})


def test_metrics_of_the_table_are_measured():
    known = known_metrics(binary=True, references=True)
    table = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ")]
    names = re.findall(r"`((?:[A-Z]{3}|selection_rate)(?: ratio| difference)?)`", " ".join(table))
    assert len(names) > 10
    assert set(names) <= known
