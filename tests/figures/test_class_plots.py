"""Figures of classes, groups and models: what they show, and what their captions say."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from fairlab.core.errors import UserError
from fairlab.figures import class_plots
from fairlab.figures.reliability import reliability
from fairlab.figures.style import MODEL_LOOKS
from fairlab.metrics import compare_classes

from ..lab.examples import tidy
from .test_plots import pixels, words

LABELS = pd.DataFrame({"race": list("BBWWBW") * 20, "gender": list("FMFMFM") * 20})


@pytest.fixture(scope="module")
def classes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    predicted = {
        model: LABELS.where(rng.random(LABELS.shape) < share, "?")
        for model, share in (("baseline", 0.6), ("debiased", 0.9))
    }
    return compare_classes(LABELS, predicted, n_resamples=50)


def scored(n: int = 4000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that come true in group 0 and are too high in group 1."""
    rng = np.random.default_rng(1)
    s, a = rng.random(n), rng.integers(0, 2, n)
    return (rng.random(n) < np.where(a == 0, s, s**2)).astype(int), s, a


def models(n: int) -> pd.DataFrame:
    rows = [
        {
            "model": f"m{i}",
            "attribute": "",
            "group": "all",
            "metric": metric,
            "value": v,
            "low": v - 0.02,
            "high": v + 0.02,
        }
        for i in range(n)
        for metric, v in (("AP", 0.8 + 0.01 * i), ("DEO", 0.1 + 0.01 * i))
    ]
    return pd.DataFrame(rows)


def test_class_bars_show_every_class_of_every_model(classes: pd.DataFrame):
    figure = class_plots.class_bars(classes).figure
    (axis,) = figure.axes
    heights = {container.get_label(): [bar.get_width() for bar in container] for container in axis.containers}
    joint = classes[(classes["attribute"] == "joint") & (classes["metric"] == "accuracy")]
    for model, label in (("baseline", "baseline"), ("debiased", "de-biased")):
        rows = joint[(joint["model"] == model) & (joint["group"] != "all")]
        np.testing.assert_allclose(heights[label], 100 * rows["value"])
    assert len(heights) == 2
    assert "B F (40)" in words(figure)
    assert pixels(figure).std() > 0


def test_the_caption_of_classes_names_worst_and_best(classes: pd.DataFrame):
    said = class_plots.class_bars(classes, attribute="gender").text
    rows = classes.query(
        "attribute == 'gender' and metric == 'accuracy' and group != 'all' and model == 'debiased'"
    )
    assert said.startswith("Share with gender right in each class")
    worst = rows.loc[rows["value"].idxmin()]
    assert f"de-biased: {worst['group']} is worst with {100 * worst['value']:.1f}% [" in said
    assert f"over classes {100 * rows['value'].std(ddof=0):.1f} points" in said


def test_class_bars_refuse_what_they_cannot_show(classes: pd.DataFrame):
    with pytest.raises(UserError, match="no attribute 'jiont'; did you mean 'joint'"):
        class_plots.class_bars(classes, attribute="jiont")
    many = compare_classes(LABELS, {f"m{i}": LABELS for i in range(6)}, n_resamples=0)
    with pytest.raises(UserError, match="1 to 5 models, not 6"):
        class_plots.class_bars(many)


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
    figure = class_plots.calibration_curves(y, s, a, groups=("not Male", "Male")).figure
    table = reliability(y, s, a)
    for axis, group in zip(figure.axes, ("group 0", "group 1"), strict=True):
        drawn = next(line for line in axis.lines if line.get_marker() == "o")
        np.testing.assert_allclose(
            drawn.get_ydata().astype(float), table.loc[table["group"] == group, "value"]
        )
    assert f"not Male\n{(a == 0).sum():,} images" in words(figure)
    assert pixels(class_plots.calibration_curves(y, s, np.arange(len(y)) % 5).figure).std() > 0


def test_the_caption_of_calibration_compares_scores_with_positives():
    y, s, a = scored()
    said = class_plots.calibration_curves(y, s, a, groups=("not Male", "Male")).text
    for group, name in enumerate(("not Male", "Male")):
        mask = a == group
        expected = f"{name}: mean score {100 * s[mask].mean():.1f}%, positives {100 * y[mask].mean():.1f}%"
        assert expected in said


def test_calibration_refuses_bad_input():
    with pytest.raises(UserError, match="at most 24 groups, not 30"):
        class_plots.calibration_curves([0, 1] * 30, np.full(60, 0.5), np.arange(60) // 2)
    with pytest.raises(UserError, match="2 labels, but there are 3"):
        reliability([0, 1], [0.5, 0.5], [0, 1, 1])
    with pytest.raises(UserError, match="n_bins must be at least 1"):
        reliability([0, 1], [0.5, 0.5], [0, 1], n_bins=0)


def test_trade_off_shows_each_model_differently():
    figure = class_plots.trade_off(models(10)).figure
    (axis,) = figure.axes
    points = [container[0] for container in axis.containers]
    places = [(float(point.get_xdata()[0]), float(point.get_ydata()[0])) for point in points]
    np.testing.assert_allclose(places, [(10 + i, 80 + i) for i in range(10)])
    looks = {(point.get_color(), point.get_marker(), point.get_markerfacecolor()) for point in points}
    assert len(looks) == 10
    assert pixels(figure).std() > 0


def test_baseline_and_debiased_look_as_everywhere():
    figure = class_plots.trade_off(tidy(), attribute="Smiling").figure
    points = {container.get_label(): container[0].get_color() for container in figure.axes[0].containers}
    assert points == {"baseline": MODEL_LOOKS[0].colour, "de-biased": MODEL_LOOKS[1].colour}


def test_the_caption_of_the_trade_off_names_what_no_model_beats():
    table = models(3)
    table.loc[(table["model"] == "m2") & (table["metric"] == "AP"), "value"] = 0.7
    said = class_plots.trade_off(table).text
    assert "m1 has the highest AP (81.0%), m0 the smallest DEO (10.0 points)." in said
    assert said.endswith("leaving the intervals aside: m0, m1.")


def test_trade_off_needs_one_to_ten_models():
    with pytest.raises(UserError, match="1 to 10 models that have both, not 11"):
        class_plots.trade_off(models(11))
    with pytest.raises(UserError, match="not 0"):
        class_plots.trade_off(models(2), attribute="Smiling")
