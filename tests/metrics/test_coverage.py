"""How often intervals hold the truth: a few cells of the tables in docs/coverage, and the tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .coverage import gaps

TABLES = Path(__file__).parents[2] / "docs" / "coverage"
REPETITIONS = 60
#: Three standard errors of a coverage of 95% in as many repetitions.
SLACK = 3 * np.sqrt(0.95 * 0.05 / REPETITIONS)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [(2, 100, 0.0), (8, 100, 0.0), (8, 1000, 0.05), (4, 100, 0.2)])
def test_gaps_minima_ratios_and_their_changes_are_held(cell):
    rows = pd.DataFrame(gaps.coverage(*cell, repetitions=REPETITIONS))
    assert (rows["coverage"] > 0.95 - SLACK).all(), rows
    assert (rows["coverage_of_change"] > 0.95 - SLACK).all(), rows
    even = rows["metric"].str.startswith("demographic") | (cell[2] == 0)
    assert (rows["p_below_5"][even] < 0.05 + SLACK).all(), rows


@pytest.mark.parametrize(
    ("name", "column", "least"),
    [
        ("seeds", "coverage", 0.93),
        ("groups", "coverage", 0.906),  # four standard errors below 95%
        ("groups", "coverage_of_change", 0.92),
        ("two_groups", "coverage", 0.90),
        ("two_groups", "coverage_of_change", 0.90),
        ("leakage", "coverage", 0.92),
    ],
)
def test_the_tables_say_what_the_pages_say(name, column, least):
    table = pd.read_csv(TABLES / f"{name}.csv")
    assert (table["repetitions"] >= 300).all()
    assert table[column].min() >= least
    if name == "seeds":
        assert table["coverage"].max() <= 0.975  # of 97% and its standard error
        assert (table["width_to_ideal"][table["seeds"] > 2] <= 1.25).all()
