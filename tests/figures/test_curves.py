"""Curves: what is drawn where, and what the captions say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from fairlab.core.errors import UserError
from fairlab.evaluation.skewed_fits import skew_study
from fairlab.figures import plots
from fairlab.figures.reliability import reliability

from .drawn import pixels, words


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
    (axis,) = plots.changed_counts(counts).figure.axes
    partners, others = axis.containers
    assert partners.lines[0].get_ydata() == pytest.approx([10, 30, 60])
    assert others.lines[0].get_xdata() == pytest.approx([0, 1, 2])
    (whiskers,) = partners.lines[2]
    assert [tuple(ends[:, 1]) for ends in whiskers.get_segments()] == [
        pytest.approx(ends) for ends in ((5, 15), (25, 35), (55, 65))
    ]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["partners", "random pairs"]


def test_the_caption_says_how_many_pairs_change_nothing_else(counts):
    caption = plots.changed_counts(counts).text
    assert "partners 10.0% [5.0, 15.0] (n = 40), random pairs 20.0% [15.0, 25.0] (n = 20)" in caption


def test_effects_have_a_panel_for_each_metric_and_a_curve_for_each_direction(effects):
    figure = plots.direction_effects(effects, protected="Wearing_Hat").figure
    shown, kept, others = figure.axes
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(effects["metric"].unique())
    assert [len(axis.containers) for axis in figure.axes] == [2, 2, 2]
    assert shown.containers[0].lines[0].get_ydata() == pytest.approx([30, 50, 70])
    assert kept.get_ylabel() == "% of the faces"
    assert others.containers[1].lines[0].get_ydata() == pytest.approx([3.1, 0.1, 3.1])
    caption = plots.direction_effects(effects, protected="Wearing_Hat").text
    assert "plane normal: Wearing Hat in 70.0% [60.0, 80.0], 3.0 [2.9, 3.1] other attributes" in caption
    assert caption.startswith("1 standard deviations along each direction, 30 faces.")


def test_curves_stand_at_the_numbers_and_the_caption_says_the_ends():
    rng = np.random.default_rng(1)
    z = rng.standard_normal((1500, 4))
    labels = {"Male": (z[:, 0] > 0).astype(int), "Wearing_Hat": (z[:, 1] > 1).astype(int)}
    table = skew_study(z, labels, (0.02, 0.1, 0.5), n_fit=1000)
    figure = plots.skew_curves(table).figure
    left, right = figure.axes
    for column, axis, scale in (("accuracy", left, 100), ("cosine", right, 1)):
        drawn = [container[0].get_ydata() for container in axis.containers]
        assert np.concatenate(drawn) == pytest.approx(scale * table[column].to_numpy())
    markers = {container[0].get_marker() for container in left.containers}
    assert len(markers) == 2
    assert "Wearing Hat" in words(figure)
    assert pixels(figure).std() > 5
    said = plots.skew_curves(table).text
    first = table.iloc[0]
    assert f"Male: 2% of {first['n_fitted']:,} positive {100 * first['accuracy']:.1f}%" in said
    assert "Accuracy on 500 held-out latents" in said
    assert "over 3 draws" in said
    assert "10% of" not in said  # only the ends


def scored(n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that come true in group 0 and are too high in group 1."""
    rng = np.random.default_rng(1)
    s, a = rng.random(n), rng.integers(0, 2, n)
    return (rng.random(n) < np.where(a == 0, s, s**2)).astype(int), s, a


def test_reliability_counts_each_bin_of_each_group():
    y, s, a = scored()
    table = reliability(y, s, a)
    assert table["n"].sum() == len(y)
    for row in table.itertuples():
        inside = (a == int(row.group[-1])) & (np.floor(s * 10) == round(10 * row.left))
        assert row.n == inside.sum()
        assert row.value == pytest.approx(y[inside].mean())
        assert row.score == pytest.approx(s[inside].mean())
        interval = binomtest(int(y[inside].sum()), int(inside.sum())).proportion_ci(method="wilson")
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))


def test_bins_without_images_are_nan():
    table = reliability([0, 1], [0.05, 1.0], ["x", "x"], n_bins=4)
    assert table["n"].tolist() == [1, 0, 0, 1]
    assert table["value"].isna().tolist() == [False, True, True, False]


def test_calibration_curves_have_a_panel_for_each_group():
    y, s, a = scored()
    figure = plots.calibration_curves(y, s, a, groups=("not Male", "Male")).figure
    table = reliability(y, s, a)
    for axis, group in zip(figure.axes, ("group 0", "group 1"), strict=True):
        drawn = next(line for line in axis.lines if line.get_marker() == "o")
        np.testing.assert_allclose(
            drawn.get_ydata().astype(float), table.loc[table["group"] == group, "value"]
        )
    assert f"not Male\n{(a == 0).sum():,} images" in words(figure)
    assert pixels(plots.calibration_curves(y, s, np.arange(len(y)) % 5).figure).std() > 0


def test_the_caption_of_calibration_compares_scores_with_positives():
    y, s, a = scored()
    said = plots.calibration_curves(y, s, a, groups=("not Male", "Male")).text
    for group, name in enumerate(("not Male", "Male")):
        mask = a == group
        expected = f"{name}: mean score {100 * s[mask].mean():.1f}%, positives {100 * y[mask].mean():.1f}%"
        assert expected in said


def test_calibration_refuses_bad_input():
    with pytest.raises(UserError, match="at most 24 groups, not 30"):
        plots.calibration_curves([0, 1] * 30, np.full(60, 0.5), np.arange(60) // 2)
    with pytest.raises(UserError, match="2 labels, but there are 3"):
        reliability([0, 1], [0.5, 0.5], [0, 1, 1])
    with pytest.raises(UserError, match="n_bins must be at least 1"):
        reliability([0, 1], [0.5, 0.5], [0, 1], n_bins=0)


def test_learning_curves_mark_the_best_epoch():
    scored = enumerate((0.5, 0.9, math.nan), start=1)
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "AP": ap} for epoch, ap in scored]
    figure = plots.learning_curves({"baseline": curve}).figure
    ring = figure.axes[1].lines[-1]
    assert ring.get_xydata()[0] == pytest.approx((2, 90))
    said = plots.learning_curves({"baseline": curve}).text
    assert "best after epoch 2 of 3, with a validation AP of 90.0%" in said
