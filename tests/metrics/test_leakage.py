"""Leakage of made-up labels whose leakage is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score

from fairlab.core.errors import UserError
from fairlab.metrics import (
    corrupted_dataset_leakage,
    dataset_leakage,
    leakage_amplification,
    leakage_p_value,
    leakage_table,
    model_leakage,
)
from fairlab.metrics.leakage.attackers import Features
from fairlab.metrics.leakage.balanced import balanced_sample
from fairlab.metrics.leakage.corruption import corrupt
from fairlab.metrics.leakage.leakage import Leakage
from fairlab.metrics.leakage.perceptron import Perceptron
from fairlab.metrics.leakage.permutation import _fit, _with_intercept
from fairlab.metrics.tidy import COLUMNS

from .examples import labels_that_leak

QUICK = Perceptron(epochs=15, batch=64, width=32, learning_rate=3e-3, progress=False)


@pytest.mark.parametrize("attacker", ["logistic", QUICK])
def test_independent_labels_leak_nothing(attacker):
    leak = dataset_leakage(*labels_that_leak(), attacker=attacker, evaluation=labels_that_leak(seed=1))
    assert 0.46 < leak.value < 0.54
    assert leak.interval[0] < 0.5 < leak.interval[1]
    assert leak.p_value > 0.05


@pytest.mark.parametrize("attacker", ["logistic", QUICK])
def test_a_label_that_is_the_protected_one_gives_everybody_away(attacker):
    leak = dataset_leakage(*labels_that_leak(leak=1.0), attacker=attacker, rounds=2)
    assert leak.value == 1.0
    assert 0.95 < leak.interval[0] < 1.0  # even if all were right
    assert leak.interval[1] == 1.0


@pytest.mark.parametrize("attacker", ["logistic", QUICK])
def test_known_leakage_is_measured_on_labels_and_on_classes(attacker):
    labels, protected = labels_that_leak(6000, leak=0.6)
    test = labels_that_leak(6000, leak=0.6, seed=1)
    leak = dataset_leakage(labels, protected, attacker=attacker, rounds=3, evaluation=test)
    assert leak.interval[0] < 0.8 < leak.interval[1]
    classes = dataset_leakage(
        labels[:, 0], protected, attacker=attacker, rounds=3, evaluation=(test[0][:, 0], test[1])
    )
    assert classes.interval[0] < 0.8 < classes.interval[1]


@pytest.mark.parametrize("leak", [0.0, 0.3])
@pytest.mark.parametrize("split", [False, True])
def test_intervals_hold_the_truth_about_as_often_as_they_say(leak, split):
    held, found = [], []
    for seed in range(80):
        test = None if split else labels_that_leak(400, leak, seed=2 * seed + 1)
        one = dataset_leakage(
            *labels_that_leak(1200 if split else 400, leak, seed=2 * seed), rounds=3, evaluation=test
        )
        held.append(one.interval[0] <= (1 + leak) / 2 <= one.interval[1])
        found.append(one.p_value < 0.05)
    assert np.mean(held) > 0.88
    assert np.mean(found) < 0.12 if leak == 0 else np.mean(found) > 0.4


def balanced_classes(n_classes=60, seed=0):
    """Classes with as many of one group as of the other in each, as in a balanced subset."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 60, n_classes)
    classes = np.repeat(np.arange(n_classes), 2 * sizes)
    return classes, np.concatenate([np.repeat([0, 1], size) for size in sizes])


def test_exactly_balanced_labels_leak_nothing_whichever_way_they_are_split():
    classes, protected = balanced_classes()
    one_hot = (classes[:, None] == np.arange(60)).astype(int)
    for labels in (classes, one_hot):
        leak = dataset_leakage(labels, protected, rounds=4)
        assert leak.value == pytest.approx(0.5, abs=1e-9)
        assert leak.p_value >= 0.5
        assert leakage_p_value(labels, protected) > 0.5
    noise = np.random.default_rng(0).normal(size=(len(classes), 1))
    assert 0.45 < model_leakage(noise, protected, labels=classes).value < 0.55


def test_labels_whose_combinations_are_not_balanced_are_named():
    rng = np.random.default_rng(0)
    labels = np.tile(rng.integers(0, 2, (600, 20)), (2, 1))
    for column in labels[600:].T:
        rng.shuffle(column)  # as many of each label as in the other group, in other combinations
    leak = dataset_leakage(labels, np.repeat([0, 1], 600), rounds=2)
    assert "balanced over the groups one by one, but not their combinations" in leak.note
    assert leak.note in leakage_table({"dataset leakage": leak})["note"].iloc[0]


def test_labels_that_are_as_uneven_as_chance_makes_them_are_split_at_random():
    """To keep chance associations alike in both parts would let an attacker learn them."""
    rng = np.random.default_rng(1)
    protected, classes = rng.integers(0, 2, 4000), rng.integers(0, 200, 4000)
    values = [dataset_leakage(classes, protected, rounds=2, seed=seed).value for seed in range(6)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.025)


def test_one_round_is_what_scikit_learn_says_by_hand():
    labels, protected = labels_that_leak(leak=0.4, share=0.5)
    test = labels_that_leak(leak=0.4, share=0.5, seed=1)
    leak = dataset_leakage(labels, protected, rounds=1, seed=3, evaluation=test, valid=test)
    rng = np.random.default_rng([3, 0, 0])
    train_rows, test_rows = balanced_sample(protected, rng), balanced_sample(test[1], rng)
    model = LogisticRegression(max_iter=1000).fit(labels[train_rows], protected[train_rows])
    right = model.predict(test[0][test_rows]) == test[1][test_rows]
    assert leak.value == right.mean()
    assert np.isnan(leak.std)
    p = (right.sum() + 2) / (len(right) + 4)
    half = stats.t.ppf(0.975, len(right) - 1) * np.sqrt(p * (1 - p) / (len(right) + 4))
    assert leak.interval == pytest.approx((right.mean() - half, right.mean() + half))


def test_samples_are_balanced_fresh_and_apart():
    labels, protected = labels_that_leak()
    leak = dataset_leakage(labels, protected, rounds=4)
    assert (protected[leak.rows].mean(axis=1) == 0.5).all()
    assert len({tuple(sorted(rows)) for rows in leak.rows}) == 4
    smaller = protected.sum()
    sample = balanced_sample(protected, np.random.default_rng(0))
    assert len(np.unique(sample)) == len(sample) == 2 * smaller
    assert leak.n == 2 * np.ceil(0.1 * smaller)


def test_an_attacker_never_sees_the_images_it_is_counted_on():
    """Every image is a class of its own: what was learnt by heart is worth nothing."""
    protected = np.arange(2000) % 2
    leak = dataset_leakage(np.arange(2000), protected, rounds=2)
    assert leak.value == 0.5


def test_accuracy_below_chance_is_reported_as_it_is_and_turned_round_in_the_published_figure():
    rows = np.tile(np.arange(100), (2, 1))
    below = Leakage(np.repeat([[0, 1]], 50, axis=1)[[0, 0]] * (np.arange(100) % 4 == 0), rows)
    assert below.value == below.correct.mean() < 0.5
    assert below.published == pytest.approx(0.5 + abs(below.value - 0.5))
    assert below.p_value > 0.9
    above = Leakage(1 - below.correct, rows)
    assert above.published == pytest.approx(below.published)
    assert above.interval == pytest.approx([1 - end for end in below.interval[::-1]])
    assert above.p_value == pytest.approx(1 - below.p_value)


def test_perceptron_repeats_from_its_seed_and_leaves_the_random_state_alone():
    import torch

    state = torch.get_rng_state()
    first, second = (dataset_leakage(*labels_that_leak(400, 0.3), attacker=QUICK, rounds=1) for _ in range(2))
    assert (first.correct == second.correct).all()
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("performance", [0.9, 0.6, np.linspace(0.5, 1, 6)])
def test_corrupted_labels_are_as_accurate_as_wanted(performance):
    labels, _ = labels_that_leak(4000)
    for metric, measure in [("F1", f1_score), ("mAP", average_precision_score)]:
        wrong = corrupt(
            Features(labels.astype(np.uint8), 6), performance, metric, np.random.default_rng(0)
        ).values
        reached = [measure(labels[:, i], wrong[:, i]) for i in range(6)]
        assert reached == pytest.approx(np.broadcast_to(performance, 6), abs=2e-3)
        assert (wrong.sum(axis=0) == labels.sum(axis=0)).all()


def test_corrupted_classes_are_as_accurate_as_wanted():
    classes = np.random.default_rng(0).choice(20, 5000, p=np.arange(1, 21) / 210)
    wrong = corrupt(Features(classes, 20), 0.7, "F1", np.random.default_rng(1)).values
    assert f1_score(classes, wrong, average=None) == pytest.approx(np.full(20, 0.7), abs=0.02)
    assert (np.bincount(wrong) == np.bincount(classes)).all()


def test_labels_commoner_than_the_model_is_accurate_become_chance_and_that_is_said():
    labels = np.zeros((1000, 1), dtype=np.uint8)
    labels[:800] = 1
    for metric in ("F1", "mAP"):
        with pytest.warns(UserWarning, match="1 labels cannot be made as inaccurate"):
            wrong = corrupt(Features(labels, 1), 0.5, metric, np.random.default_rng(0)).values
        assert f1_score(labels[:, 0], wrong[:, 0]) == pytest.approx(0.8)


def test_corrupted_labels_leak_less_and_perfect_ones_as_much():
    data = labels_that_leak(6000, leak=0.8)
    whole = dataset_leakage(*data, rounds=3)
    same = corrupted_dataset_leakage(*data, 1.0, rounds=3)
    half = corrupted_dataset_leakage(*data, 0.5, metric="mAP", rounds=3)
    assert (same.correct == whole.correct).all()
    assert half.interval[1] < whole.interval[0]


def test_amplification_is_paired_and_narrower_than_its_parts():
    labels, protected = labels_that_leak(6000, leak=0.4)
    rng = np.random.default_rng(5)
    scores = 4.0 * labels - 2 + rng.normal(size=labels.shape)
    scores[:, 1] += 3 * protected  # the model has learnt more than the labels say
    model = model_leakage(scores, protected)
    data = corrupted_dataset_leakage(labels, protected, 0.9)
    delta = leakage_amplification(model, data)
    assert delta.value == pytest.approx(model.value - data.value)
    assert delta.rounds == pytest.approx(model.rounds - data.rounds)
    assert delta.interval[0] > 0
    none = leakage_amplification(model, model)
    assert (none.value, none.interval) == (0, (0, 0))
    with pytest.raises(UserError, match="different images"):
        leakage_amplification(model, corrupted_dataset_leakage(labels, protected, 0.9, seed=1))


def test_table_is_tidy():
    leak = dataset_leakage(*labels_that_leak(), rounds=2)
    table = leakage_table({"dataset leakage": leak}, attribute="gender")
    assert list(table.columns) == list(COLUMNS)
    (row,) = table.to_dict("records")
    assert (row["value"], row["low"], row["high"]) == (leak.value, *leak.interval)
    assert (row["n"], row["n_positive"], row["seeds"]) == (leak.n, leak.n // 2, 2)


def test_p_values_are_uniform_without_a_leak_and_small_with_one():
    p = [leakage_p_value(*labels_that_leak(300, seed=s), permutations=39, seed=s) for s in range(80)]
    assert np.mean(np.array(p) <= 0.1) < 0.2
    assert 0.35 < np.mean(p) < 0.65
    labels, protected = labels_that_leak(leak=0.4)
    assert leakage_p_value(labels, protected) == 1 / 200
    assert leakage_p_value(labels[:, 0], protected, permutations=99) == 1 / 100


def test_attackers_of_the_permutation_test_are_logistic_regressions():
    labels, protected = labels_that_leak(leak=0.4)
    x = _with_intercept(Features(labels.astype(np.uint8), 6))
    weights = _fit(x, protected[:, None].astype(float), penalty=1.0)[:, 0]
    model = LogisticRegression(C=1.0, tol=1e-10).fit(labels, protected)
    assert weights == pytest.approx([*model.coef_[0], model.intercept_[0]], abs=0.02)


def _scores(*_: object) -> tuple[np.ndarray, np.ndarray]:
    return np.full((100, 2), np.nan), np.arange(100) % 2


@pytest.mark.parametrize(
    ("labels", "protected", "words"),
    [
        (np.full((100, 2), "a"), np.arange(100) % 2, "labels must be numbers"),
        (np.full((100, 2), 3), np.arange(100) % 2, "only 0 and 1"),
        (np.full(100, -1), np.arange(100) % 2, "numbered 0, 1, 2"),
        (np.full(100, 10**9), np.arange(100) % 2, "numbered 0, 1, 2"),
        (np.full(100, np.nan), np.arange(100) % 2, "numbered 0, 1, 2"),
        (np.zeros((100, 2)), np.arange(99) % 2, r"\(100,\)"),
        (np.zeros((100, 2)), np.zeros(100), "0 of group 1"),
        (np.zeros((100, 2)), np.full(100, "man"), "numbers 0 and 1"),
        (np.zeros((0, 2)), np.zeros(0), "shape"),
    ],
)
def test_bad_labels_end_in_a_sentence(labels, protected, words):
    for measure in (dataset_leakage, leakage_p_value):
        with pytest.raises(UserError, match=words):
            measure(labels, protected)


def test_bad_settings_end_in_a_sentence():
    data = labels_that_leak()
    with pytest.raises(UserError, match="no attacker 'svm'"):
        dataset_leakage(*data, attacker="svm")
    with pytest.raises(UserError, match="rounds"):
        dataset_leakage(*data, rounds=0)
    with pytest.raises(UserError, match="same labels"):
        dataset_leakage(*data, evaluation=labels_that_leak(k=5))
    with pytest.raises(UserError, match="no metric 'AUC'"):
        corrupted_dataset_leakage(*data, 0.5, metric="AUC")
    for performance in (50, np.nan, [0.5, 0.5]):
        with pytest.raises(UserError, match="performance must be"):
            corrupted_dataset_leakage(*data, performance)
    with pytest.raises(UserError, match="finite"):
        model_leakage(*_scores())
    with pytest.raises(UserError, match="permutations"):
        leakage_p_value(*data, permutations=0)


def test_a_leakage_reads_as_its_number_with_interval_and_counts():
    leak = dataset_leakage(*labels_that_leak(leak=1.0), rounds=2)
    assert repr(leak).startswith("Leakage(1.000 [0.9")
    assert repr(leak).endswith(f", 1.000], 2 rounds, {leak.n} test images)")


@pytest.mark.parametrize("men", [1, 1.25, 2, 5])
def test_labels_even_over_groups_of_unequal_size_leak_nothing(men):
    """Every class has as many men for each woman, so the best guess is chance."""
    classes = np.repeat(np.arange(200), 12 + int(12 * men))
    protected = np.tile(np.repeat([1, 0], [12, int(12 * men)]), 200)
    shares = [np.bincount(classes[protected == group]) / (protected == group).sum() for group in (0, 1)]
    assert np.maximum(*shares).sum() / 2 == pytest.approx(0.5)  # what the best guess gets right
    for seed in range(3):
        leak = dataset_leakage(classes, protected, seed=seed)
        assert leak.value == pytest.approx(0.5, abs=0.01)
        assert leak.p_value > 0.05


def test_an_attacker_that_has_not_converged_says_so_in_a_sentence(monkeypatch):
    labels, protected = labels_that_leak(leak=0.5)
    monkeypatch.setattr("fairlab.metrics.leakage.attackers.MOST_ITERATIONS", 1)
    with pytest.warns(UserWarning, match="not converged after 1 iterations") as caught:
        dataset_leakage(labels, protected, rounds=1)
    assert {warning.category for warning in caught} == {UserWarning}  # none of scikit-learn's own
