"""Figures of the ground truth: what is drawn where, and what the captions say."""

import pandas as pd
import pytest

from fairlab.figures import truth_plots


@pytest.fixture
def counts():
    """Return the distribution of changes of two kinds of pairs."""
    rows = [
        (kind, changed, value, value - 0.05, value + 0.05, n)
        for kind, n, values in (("partners", 40, (0.1, 0.3, 0.6)), ("random pairs", 20, (0.2, 0.2, 0.6)))
        for changed, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["pairs", "changed", "value", "low", "high", "n"])


@pytest.fixture
def effects():
    """Return what three steps along two directions change."""
    rows = [
        (name, float(step), metric, value, value - 0.1, value + 0.1, 30)
        for name, shift in (("plane normal", 0.0), ("partial trait", 0.1))
        for step in (-1, 0, 1)
        for metric, value in (
            ("protected present", 0.5 + 0.2 * step + shift), ("target kept", 0.8),
            ("other attributes changed", 3.0 * abs(step) + shift),
        )
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["direction", "step", "metric", "value", "low", "high", "n"])


def test_counts_are_drawn_in_per_cent_with_their_intervals(counts):
    (axis,) = truth_plots.changed_counts(counts).figure.axes
    partners, others = axis.containers
    assert partners.lines[0].get_ydata() == pytest.approx([10, 30, 60])
    assert others.lines[0].get_xdata() == pytest.approx([0, 1, 2])
    (whiskers,) = partners.lines[2]
    assert [tuple(ends[:, 1]) for ends in whiskers.get_segments()] == [
        pytest.approx(ends) for ends in ((5, 15), (25, 35), (55, 65))
    ]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["partners", "random pairs"]


def test_the_caption_says_how_many_pairs_change_nothing_else(counts):
    caption = truth_plots.changed_counts(counts).text
    assert "partners 10.0% [5.0, 15.0] (n = 40), random pairs 20.0% [15.0, 25.0] (n = 20)" in caption


def test_effects_have_a_panel_for_each_metric_and_a_curve_for_each_direction(effects):
    figure = truth_plots.direction_effects(effects, protected="Wearing_Hat").figure
    shown, kept, others = figure.axes
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(effects["metric"].unique())
    assert [len(axis.containers) for axis in figure.axes] == [2, 2, 2]
    assert shown.containers[0].lines[0].get_ydata() == pytest.approx([30, 50, 70])
    assert kept.get_ylabel() == "% of the faces"
    assert others.containers[1].lines[0].get_ydata() == pytest.approx([3.1, 0.1, 3.1])
    caption = truth_plots.direction_effects(effects, protected="Wearing_Hat").text
    assert "plane normal: Wearing Hat in 70.0% [60.0, 80.0], 3.0 [2.9, 3.1] other attributes" in caption
    assert caption.startswith("1 standard deviations along each direction, 30 faces.")


def test_series_hold_the_rows_of_each_name_in_the_order_of_the_table(counts):
    series = truth_plots.series_of(counts, "pairs", "changed")
    assert list(series) == ["partners", "random pairs"]
    assert series["random pairs"].loc[2, "value"] == 0.6
