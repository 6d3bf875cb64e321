"""A metric is described in one place: what is registered there appears everywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import fairlab.metrics
from fairlab.core.estimate import Unit
from fairlab.figures.effects import effect_table, effects
from fairlab.figures.paper_table import paper_table
from fairlab.figures.plots import metric_bars
from fairlab.figures.tables import changes, comparison, readable_table
from fairlab.metrics import at_threshold, bootstrap, compare, compare_attributes, format_comparison
from fairlab.metrics.spec import DISPARITIES, METRICS, RATES, MetricSpec, reported
from fairlab.metrics.two_groups.compare_binned import compare_binned

from .examples import simulate

N = 400


def flagged_share(counted):
    """A made-up metric: ten times the share predicted positive."""
    return 10 * counted.flagged.sum(axis=(-2, -1)) / counted.mass.sum(axis=(-2, -1))


@pytest.fixture
def made_up(monkeypatch):
    """A metric registered for one test, and nowhere else described."""
    spec = MetricSpec(
        "made_up",
        flagged_share,
        "Tenfold flags (TF)",
        "ten times the share that is flagged",
        best="zero",
        about="fairness",
        needs=("positives in {1}",),
        limits=(0.0, 10.0),
        unit=Unit(1.0, 3, " flags"),
        at_threshold=True,
    )
    monkeypatch.setitem(METRICS, "made_up", spec)
    return spec


@pytest.fixture
def table(made_up):
    y, s, a = simulate(N, np.random.default_rng(0))
    return compare(y, {"baseline": s, "debiased": s**2}, a, n_resamples=40, attribute="Smiling")


def test_a_registered_metric_is_measured_with_its_interval(table):
    y, s, a = simulate(N, np.random.default_rng(0))
    row = table.set_index(["model", "metric"]).loc[("debiased", "made_up")]
    assert row["value"] == pytest.approx(10 * y.mean(), abs=10 / N)  # calibrated: as many as are positive
    assert 0 <= row["low"] < row["value"] < row["high"] <= 10
    assert row["note"] == "threshold calibrated on these images"
    binned = compare_binned(y, {"baseline": s}, a, n_resamples=40).set_index("metric")
    assert (
        binned.loc["made_up", "value"]
        == bootstrap(y, s, a, n_resamples=2).set_index("metric").loc["made_up", "value"]
    )
    at = at_threshold(y, {"m": s}, a, {"m": 0.0}, n_resamples=10).set_index("metric")
    assert at.loc["made_up", "value"] == 10


def test_a_registered_metric_says_what_it_needs(made_up):
    y, s, a = simulate(N, np.random.default_rng(0))
    kept = (y == 0) | (a == 0)
    with pytest.warns(fairlab.metrics.UndefinedMetricWarning) as caught:
        table = bootstrap(y[kept], s[kept], a[kept], n_resamples=5, groups=("not Male", "Male"))
    assert "made_up is undefined: 0 positives in Male." in [str(warning.message) for warning in caught]
    assert table.set_index("metric").loc["made_up", "note"] == "0 positives in Male"


def test_a_registered_metric_is_in_every_table(table):
    assert "| made_up (flags) |" in format_comparison(table)
    row = comparison(table).set_index("metric").loc["Tenfold flags (TF)"]
    assert row["unit"] == "flags"
    assert row["paired difference"][0] in "+−0"
    assert readable_table(table)["value"].str.contains(" flags [", regex=False).sum() == 3
    assert "made_up" in [change.metric for change in changes(table, "Smiling")]


def test_a_registered_metric_is_in_figures_and_their_captions(table):
    shown = metric_bars(table)
    assert isinstance(shown.figure, Figure)
    assert "Tenfold flags (TF)" in [axis.get_title(loc="left") for axis in shown.figure.axes]
    assert "made up" in shown.text


def test_a_registered_metric_is_in_the_tables_of_many_attributes(made_up):
    y, s, a = simulate(N, np.random.default_rng(1))
    labels = pd.DataFrame({"Smiling": y, "Bangs": 1 - y})
    scores = {m: {"Smiling": t, "Bangs": 1 - t} for m, t in (("baseline", s), ("debiased", s**2))}
    table = compare_attributes(labels, scores, a, means={"both": ["Smiling", "Bangs"]}, n_resamples=20)
    assert ("made_up", "difference") in paper_table(table).columns
    assert "made_up" in effect_table(table, ["debiased"]).splitlines()[0]
    assert len(effects(table, ["debiased"]).figure.axes) == len([m for m in METRICS.values() if m.headline])


def test_a_registered_metric_has_a_meaning_in_reports(made_up):
    assert list(reported()) == ["DEO", "BA", "KL", "made_up", "AP", "AP_balanced"]
    assert reported()["made_up"].meaning == "ten times the share that is flagged"


def test_every_disparity_compares_rates_that_exist():
    for spec in DISPARITIES.values():
        assert spec.compares
        assert set(spec.compares) <= set(RATES)


@pytest.mark.parametrize(
    "spec", [*METRICS.values(), *RATES.values(), *DISPARITIES.values()], ids=lambda s: s.name
)
def test_every_specification_is_whole(spec):
    assert spec.label[0].isupper()
    assert spec.meaning
    assert not spec.meaning.endswith(".")
    assert spec.limits[0] < spec.limits[1]


def test_a_table_takes_no_rate_for_a_metric_of_two_groups():
    assert not set(METRICS) & {*RATES, *DISPARITIES}
