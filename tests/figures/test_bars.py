"""Bars and areas: what they show, and what their captions say."""

import math

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.figures import plots
from fairlab.metrics import compare_classes

from ..lab.examples import CLEAR, tidy
from .drawn import pixels, words

NAN = (math.nan, math.nan, math.nan)
LABELS = pd.DataFrame({"race": list("BBWWBW") * 20, "gender": list("FMFMFM") * 20})


@pytest.fixture(scope="module")
def classes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    predicted = {
        model: LABELS.where(rng.random(LABELS.shape) < share, "?")
        for model, share in (("baseline", 0.6), ("debiased", 0.9))
    }
    return compare_classes(LABELS, predicted, n_resamples=50)


def test_class_bars_show_every_class_of_every_model(classes: pd.DataFrame):
    figure = plots.class_bars(classes).figure
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
    said = plots.class_bars(classes, attribute="gender").text
    rows = classes.query(
        "attribute == 'gender' and metric == 'accuracy' and group != 'all' and model == 'debiased'"
    )
    assert said.startswith("Share with gender right in each class")
    worst = rows.loc[rows["value"].idxmin()]
    assert f"de-biased: {worst['group']} is worst with {100 * worst['value']:.1f}% [" in said
    assert f"over classes {100 * rows['value'].std(ddof=0):.1f} points" in said


def test_class_bars_refuse_what_they_cannot_show(classes: pd.DataFrame):
    with pytest.raises(UserError, match="no attribute 'jiont'; did you mean 'joint'"):
        plots.class_bars(classes, attribute="jiont")
    many = compare_classes(LABELS, {f"m{i}": LABELS for i in range(6)}, n_resamples=0)
    with pytest.raises(UserError, match="1 to 5 models, not 6"):
        plots.class_bars(many)


def test_metric_bars_stand_at_the_values():
    figure = plots.metric_bars(tidy()).figure
    heights = {
        axis.get_title(loc="left"): [p.get_height() for p in axis.patches if p.get_height()]
        for axis in figure.axes
    }
    assert heights["Gap in missed faces (DEO)"] == pytest.approx([21.3, 11.2])
    assert heights["Score divergence (KL)"] == pytest.approx([1.32, 0.81])
    assert pixels(figure).std() > 10


def test_metric_bars_mark_what_is_undefined_without_a_bar():
    table = tidy({**CLEAR, "DEO": (NAN, NAN, NAN)}, note="0 positives in Male")
    figure = plots.metric_bars(table).figure
    assert "n/a (0 positives in Male)" in words(figure)
    assert not any(patch.get_height() for patch in figure.axes[0].patches)
    assert "DEO n/a → n/a (undefined)" in plots.metric_bars(table).text


def test_metric_bars_hold_many_attributes():
    names = ["Smiling", "Wearing_Hat", "Eyeglasses", "Bangs"]
    table = pd.concat([tidy(attribute=name) for name in names])
    assert "Wearing Hat" in words(plots.metric_bars(table).figure)
    assert plots.metric_bars(table).text.count("baseline → de-biased") == len(names)


def test_label_table_counts():
    target, protected = np.array([1, 1, 0, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1, 1, 1])
    figure = plots.label_table(target, protected, target="Smiling", protected="Male").figure
    assert "not Smiling\n3 (75%)" in words(figure)
    said = plots.label_table(target, protected, target="Smiling", protected="Male").text
    assert said.startswith("66.7% of the faces labelled not Male are labelled Smiling, against 25.0%")
