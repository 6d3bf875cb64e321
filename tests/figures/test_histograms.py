"""Histograms of groups: shares of each group, and what the captions say."""

from itertools import pairwise

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.figures import plots
from fairlab.figures.plots import distance_histograms

from ..lab.examples import labels, scores
from .drawn import words

DISTANCES = np.array([-2.0, -1.0, -0.5, 0.5, -0.2, 0.3, 1.5, 2.0, 2.0])
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])


def heights(steps, edges):
    """Return how high a drawn histogram is in each bin."""
    (path,) = steps.get_paths()
    level = [(min(a[0], b[0]), max(a[0], b[0]), a[1]) for a, b in pairwise(path.vertices) if a[1] == b[1]]
    middles = (np.asarray(edges[1:]) + np.asarray(edges[:-1])) / 2
    return [max(y for left, right, y in level if left < middle < right) for middle in middles]


def test_score_histograms_say_what_each_group_loses():
    y, a = np.array([1, 1, 1, 1, 0, 0]), np.array([0, 0, 1, 1, 0, 1])
    values = {"baseline": np.array([0.9, 0.8, 0.9, 0.2, 0.1, 0.7])}
    names = {"target": "Smiling", "protected_name": "Male"}
    figure = plots.score_histograms(values, y, a, {"baseline": 0.5}, **names).figure
    assert "not Male: 0.0% of 2\nMale: 50.0% of 2" in words(figure)
    assert "not Male: 0.0% of 1\nMale: 100.0% of 1" in words(figure)
    said = plots.score_histograms(values, y, a, {"baseline": 0.5}, **names).text
    assert "misses 0.0% of the Smiling faces labelled not Male and 50.0% of those labelled Male" in said


def test_score_histograms_survive_an_empty_group():
    y, a = np.array([1, 0, 0]), np.array([0, 0, 1])
    arguments = ({"baseline": np.array([0.9, 0.1, 0.2])}, y, a, {"baseline": 0.5})
    names = {"target": "Smiling", "protected_name": "Male"}
    assert "Male: n/a of 0" in words(plots.score_histograms(*arguments, **names).figure)
    assert "n/a of those labelled Male" in plots.score_histograms(*arguments, **names).text


def test_score_histogram_bars_are_shares_of_the_group():
    target, protected = labels(500)
    values = {"baseline": scores(target, protected, 2.0), "debiased": scores(target, protected, 0.5)}
    figure = plots.score_histograms(
        values, target, protected, dict.fromkeys(values, 0.5), target="Smiling", protected_name="Male"
    ).figure
    drawn = [steps for axis in figure.axes for steps in axis.collections]
    assert len(drawn) == 2 * 2 * 2  # models, labels, groups
    assert [sum(heights(steps, np.linspace(0, 1, 26))) for steps in drawn] == pytest.approx([100] * 8)
    assert len({(steps.get_hatch(), steps.get_linestyle()[0][1] is None) for steps in drawn}) == 2


def test_histograms_show_the_share_of_each_label():
    figure = distance_histograms(DISTANCES, LABELS, attribute="Wearing_Hat", bins=4).figure

    axis = figure.axes[0]
    without, with_ = axis.collections
    edges = [-2, -1, 0, 1, 2]
    assert heights(without, edges) == [25, 50, 25, 0]
    assert heights(with_, edges) == pytest.approx([0, 20, 20, 60])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["not Wearing Hat", "Wearing Hat"]
    assert [line.get_xdata()[0] for line in axis.lines] == [0]
    assert "hyperplane of Wearing Hat" in axis.get_xlabel()


def test_their_words_count_the_latents_on_the_side_of_their_label():
    assert distance_histograms(DISTANCES, LABELS, attribute="Wearing_Hat").text == (
        "Of the latents labelled Wearing Hat, 80.0% of 5 lie on the positive side; of the others, 75.0% of 4 "
        "on the negative side."
    )


def test_histograms_of_one_label_alone_are_drawn_and_said():
    drawn = distance_histograms(DISTANCES, np.ones(9), attribute="Male", bins=4)

    assert len(drawn.figure.axes[0].collections) == 1
    assert "n/a of 0 on the negative side" in drawn.text


def test_histograms_of_different_lengths_are_refused():
    with pytest.raises(UserError, match="arrays of one length"):
        distance_histograms(DISTANCES, LABELS[:3], attribute="Male")
