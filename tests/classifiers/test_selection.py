"""The named rules that choose an epoch, and the validation figures they read."""

import dataclasses

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.metrics import average_precision_score

from fairlab.classifiers import train_classifier
from fairlab.classifiers.selection import Validation, best_epoch
from fairlab.core.errors import UserError

RECORDS = [
    {"epoch": 1, "average_precision": 0.6, "group_balanced_average_precision": 0.5},
    {"epoch": 2, "average_precision": 0.7, "group_balanced_average_precision": 0.4},
    {"epoch": 3, "average_precision": 0.7, "group_balanced_average_precision": 0.6},
    {"epoch": 4, "average_precision": 0.5, "group_balanced_average_precision": 0.5},
]


class Fixed:
    """Stands in for a classifier: gives the scores it was made with."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores

    def score(
        self, images: np.ndarray, progress: bool = True, *, groups: np.ndarray | None = None
    ) -> np.ndarray:
        self.groups = groups
        return self.scores


def test_each_rule_picks_its_epoch_and_the_first_of_equals():
    assert best_epoch(RECORDS, "average_precision") == 2
    assert best_epoch(RECORDS, "group_balanced_average_precision") == 3


def test_figures_are_means_over_attributes():
    rng = np.random.default_rng(0)
    labels, protected, scores = rng.integers(0, 2, (60, 2)), rng.integers(0, 2, 60), rng.random((60, 2))
    figures = Validation(np.zeros(60), labels, protected).figures(Fixed(scores))
    plain = [average_precision_score(labels[:, k], scores[:, k]) for k in (0, 1)]
    balanced = []
    for k in (0, 1):
        cell = 2 * labels[:, k] + protected
        weight = 1 / np.bincount(cell)[cell]
        positive = labels[:, k] == 1
        weight[positive] *= positive.sum() / 2
        weight[~positive] *= (~positive).sum() / 2
        balanced.append(average_precision_score(labels[:, k], scores[:, k], sample_weight=weight))
    assert figures["average_precision"] == pytest.approx(np.mean(plain))
    assert figures["group_balanced_average_precision"] == pytest.approx(np.mean(balanced))


def test_an_attribute_without_positives_is_left_out_of_the_mean():
    labels = np.array([[0, 0], [1, 0], [1, 0], [0, 0]])
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.1, 0.4]], np.float32)
    figures = Validation(np.zeros(4), labels, None).figures(Fixed(scores))
    assert figures == {"average_precision": pytest.approx((1 / 2 + 2 / 3) / 2)}


def test_a_rule_that_cannot_be_computed_is_one_sentence():
    labels = np.array([[0], [1], [1], [0]])
    with pytest.raises(UserError, match="protected labels"):
        Validation(np.zeros(4), labels).require("group_balanced_average_precision")
    with pytest.raises(UserError, match="in both protected groups"):
        Validation(np.zeros(4), labels, np.array([0, 0, 0, 1])).require("group_balanced_average_precision")
    Validation(np.zeros(4), labels, np.array([0, 0, 1, 1])).require("group_balanced_average_precision")


@pytest.mark.parametrize("rule", ["average_precision", "group_balanced_average_precision"])
def test_the_classifier_returned_is_that_of_the_chosen_epoch(task, tmp_path, recipe, rule, monkeypatch):
    """With figures planted per epoch, the weights kept are those seen at the epoch they favour."""
    planted = iter(RECORDS)

    def figures(self, classifier):
        return {name: value for name, value in next(planted).items() if name != "epoch"}

    monkeypatch.setattr(Validation, "figures", figures)
    seen: dict[int, np.ndarray] = {}
    rows = np.arange(64) % 2

    def remember(record):
        seen[record["epoch"]] = load_file(tmp_path / "checkpoint.safetensors")["state.network.head.3.bias"]

    run = task(recipe=dataclasses.replace(recipe, epochs=4, selection=rule), valid_protected=rows)
    classifier = train_classifier(tmp_path, **run, on_epoch=remember)
    chosen = best_epoch(RECORDS, rule)
    bias = classifier.network.head[3].bias.detach().numpy()
    assert [epoch for epoch, value in seen.items() if np.array_equal(value, bias)] == [chosen]
