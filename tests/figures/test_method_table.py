"""Tables of methods say what was measured, and how a gap came to be smaller."""

import numpy as np
import pandas as pd
import pytest

from fairlab.figures.method_table import Facts, as_markdown, difference_table, gap_move, method_table
from fairlab.metrics import compare_attributes
from fairlab.metrics.spec import CELL_METRICS, LEAKAGE, METRICS
from fairlab.metrics.two_groups.compare_attributes import MEAN

GROUPS = ("women", "men")
WHOLE = ("one", "all")


@pytest.fixture(scope="module")
def table():
    """Return the table of a baseline that finds fewer men, and of methods that close the gap."""
    rng = np.random.default_rng(0)
    y, a = rng.integers(0, 2, (2, 4000))
    noise = 0.15 * rng.standard_normal(4000)
    shifts = {
        "baseline": -0.2 * a,
        "lifted": np.zeros(4000),
        "pulled": np.full(4000, -0.2),
        "moved": np.full(4000, -0.1),
        "same": -0.2 * a + 1e-9,
    }
    scores = {name: np.clip(0.3 + 0.3 * y + shift + noise, 0, 1) for name, shift in shifts.items()}
    labels = pd.DataFrame({"one": y, "two": y})
    given = {"means": {"both": ("one", "two")}, "n_resamples": 200, "groups": GROUPS}
    half = {name: dict.fromkeys(labels, 0.5) for name in scores}
    parts = [
        compare_attributes(
            labels, {name: dict.fromkeys(labels, s) for name, s in scores.items()}, a,
            thresholds=half, specs=(*METRICS.values(), *CELL_METRICS.values()), **given,
        ),
        compare_attributes(
            pd.DataFrame({"one": a, "two": a}),
            {name: dict.fromkeys(labels, (s > 0.4) * 1.0) for name, s in scores.items()}, a,
            thresholds=half, specs=(LEAKAGE,), **given,
        ),
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("subject", [WHOLE, ("both", MEAN)])
@pytest.mark.parametrize(
    ("model", "expected"),
    [("lifted", "lifts the worse"), ("pulled", "pulls the better down"), ("moved", "both"), ("same", "none")],
)
def test_a_gap_is_closed_from_below_from_above_or_both(table, subject, model, expected):
    assert gap_move(table, model, subject, GROUPS, "baseline") == expected


def test_every_method_has_its_figures_needs_and_costs(table):
    methods = {"baseline": Facts("-", 48_000, 12.4), "lifted": Facts("training", 96_000, 25.0)}
    found = method_table(table, methods, WHOLE, GROUPS)
    assert list(found.index) == ["erm", "lifted"]
    assert found.loc["erm", "WGA, published"] == "62.6"
    assert found.loc["lifted", ["needs the protected label in", "images", "seconds"]].tolist() == [
        "training", "96 k", "25",
    ]  # fmt: skip
    rows = table[(table["model"] == "lifted") & (table["attribute"] == "one")].set_index(["metric", "group"])
    for column, key in {
        "WGA": ("WGA", "all"),
        "TPR, men": ("TPR", "men"),
        "leakage": ("leakage", "all"),
    }.items():
        value, low, high = 100 * rows.loc[key, ["value", "low", "high"]].astype(float)
        shown = found.loc["lifted", column]
        assert shown.startswith(f"{value:.1f} ")
        assert shown.endswith(f"[{low:.1f}, {high:.1f}]")


def test_differences_are_starred_where_holm_says_so(table):
    models = ["baseline", "lifted", "same"]
    found = difference_table(table, models, WHOLE, GROUPS, "baseline")
    assert list(found.index) == ["lifted", "same"]
    assert found.loc["lifted", "DEO"].endswith("*")
    assert not found.loc["same", "AP"].endswith("*")
    assert found["the smaller gap"].tolist() == ["lifts the worse", "none"]
    header, _, *lines = as_markdown(found).splitlines()
    assert header.startswith("| method | AP")
    assert len(lines) == 2
