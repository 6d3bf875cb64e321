"""Last layers trained anew: DFR against a fit by hand, CRT against what it must leave alone."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from fairlab.core.errors import UserError
from fairlab.methods import CRT, DFR, ERM, TwoHeads, load_classifier, train
from fairlab.methods.last_layer import L1, STRENGTHS, balanced_fit, balanced_rows, seen_by_last

from .toys import shapes


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module", params=[DFR(fits=3), CRT(passes=2)], ids=["dfr", "crt"])
def refitted(request, work):
    """Return the classifier before and after a refit."""
    step = train(request.param, work, 0)
    return (load_classifier(folder, "cpu") for folder in (step.folder / "before_refit", step.folder))


def test_all_but_the_last_layer_stays_to_the_bit(refitted):
    before, after = (classifier.network.state_dict() for classifier in refitted)
    changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
    assert changed == ["head.3.weight", "head.3.bias"]
    assert "backbone.bn1.running_mean" in before


@pytest.mark.parametrize("method", [DFR(fits=2), CRT(passes=1)])
def test_until_the_refit_it_is_plain_training_and_then_that_of_its_groups(method, work):
    step, plain = train(method, work, 0), train(ERM(), work, 0)
    before = (step.folder / "before_refit" / "weights.safetensors").read_bytes()
    assert before == (plain.folder / "weights.safetensors").read_bytes()
    other = train(method, shapes(work.home, protected=("Loud",)), 0)
    assert other.fingerprint != step.fingerprint


@pytest.mark.parametrize("method", [DFR(), TwoHeads()])
def test_another_half_of_the_validation_images_is_another_training(method, work):
    """Its seed is the workspace's, to which those of trainings are added."""
    other = shapes(work.home, seed=1)
    assert method.training_set(work, 1).inputs != method.training_set(other, 0).inputs


def made(n=400, seed=0):
    """Return features of which the first tells the group, the second the label, and unequal cells."""
    random = np.random.default_rng(seed)
    a = random.integers(0, 2, n)
    y = np.where(random.random(n) < 0.9, a, 1 - a)
    x = random.normal(size=(n, 5)) + 2.0 * np.column_stack([a, y, *(np.zeros((3, n)))])
    return x, 2 * y + a


def test_balanced_rows_have_as_many_of_every_cell_as_the_smallest_and_none_twice():
    _, cells = made()
    rows = balanced_rows(cells, np.random.default_rng(0))
    assert np.bincount(cells[rows]).tolist() == [np.bincount(cells).min()] * 4
    assert len(np.unique(rows)) == len(rows)


def test_the_fit_is_the_mean_of_scikit_learns_on_balanced_subsets(monkeypatch):
    """With one strength to choose from, and the subsets known."""
    x, cells = made()
    monkeypatch.setattr("fairlab.methods.last_layer.STRENGTHS", (0.3,))
    drawn = []

    def kept(cells, random):
        drawn.append(balanced_rows(cells, random))
        return drawn[-1]

    monkeypatch.setattr("fairlab.methods.last_layer.balanced_rows", kept)
    weight, bias = balanced_fit(x, cells, 4, np.random.default_rng(0))
    assert len(drawn) == 5  # one for the choice
    models = [
        LogisticRegression(C=0.3, solver="liblinear", random_state=0, **L1).fit(x[rows], cells[rows] // 2)
        for rows in drawn[1:]
    ]
    assert weight == pytest.approx(np.mean([model.coef_[0] for model in models], axis=0))
    assert bias == pytest.approx(np.mean([model.intercept_[0] for model in models]))


def test_the_strength_is_the_one_with_the_best_worst_cell(monkeypatch):
    x, cells = made(seed=2)
    easy = np.random.default_rng(0).random(len(x)) < 0.5
    x[:, 4] = np.where(cells < 2, -1, np.where(easy, 1, 0.02))
    asked = []

    class Watched(LogisticRegression):
        def __init__(self, **options):
            asked.append(options["C"])
            super().__init__(**options)

    monkeypatch.setattr("fairlab.methods.last_layer.LogisticRegression", Watched)
    monkeypatch.setattr(Watched, "predict", lambda model, x: (x[:, 4] > abs(model.C - 0.1)).astype(int))
    balanced_fit(x, cells, 2, np.random.default_rng(0))
    assert asked[: len(STRENGTHS)] == list(STRENGTHS)
    assert asked[len(STRENGTHS) :] == [0.1, 0.1]


def test_dfr_is_that_fit_of_what_the_last_layer_sees_in_units_of_its_deviation(work):
    step = train(DFR(fits=3), work, 0)
    before, after = (load_classifier(f, "cpu") for f in (step.folder / "before_refit", step.folder))
    data = work.validation_half("fit")
    seen = seen_by_last(before, data.images).astype(np.float64)
    assert seen.shape == (len(data), before.network.last.in_features)
    x = (seen - seen.mean(axis=0)) / np.where(seen.std(axis=0) > 0, seen.std(axis=0), 1)
    cells = 2 * data.labels[:, 0].astype(int) + data.groups
    weight, bias = balanced_fit(x, cells, 3, np.random.default_rng([0, 3]))
    found = after.logits(data.images, progress=False)[:, 0]
    assert found == pytest.approx(x @ weight + bias, abs=1e-3)


def test_crt_learns_a_layer_that_is_better_for_equal_cells(work):
    step = train(CRT(passes=60), work, 0)
    before, after = (load_classifier(f, "cpu") for f in (step.folder / "before_refit", step.folder))
    y, a = work.labels("train")[:, 0], work.groups("train")

    def balanced_loss(classifier):
        z = classifier.logits(work.images("train"), progress=False)[:, 0]
        losses = np.logaddexp(0, -(2.0 * y - 1) * z)
        return np.mean([losses[(y == i) & (a == j)].mean() for i in (0, 1) for j in (0, 1)])

    assert balanced_loss(after) < balanced_loss(before)


def test_validation_images_without_enough_of_a_cell_are_one_sentence(work, monkeypatch):
    y = work.data.label("Square", "valid").copy()
    few = np.flatnonzero((y == 1) & (work.groups("valid") == 0))[2:]
    rows = work.data.rows("valid")[few]
    labels = work.data.labels.copy()
    labels.loc[rows, "Square"] = 0
    monkeypatch.setattr(work, "data", dataclasses.replace(work.data, labels=labels))
    with pytest.raises(UserError, match=r"have 1 with target label 1 and protected label 0.*at least 2"):
        DFR().training_set(work, 0)


@pytest.mark.parametrize("method", [lambda: DFR(fits=0), lambda: CRT(passes=0)])
def test_settings_out_of_range_are_one_sentence(method):
    with pytest.raises(UserError, match="is 0; give a finite number above 0"):
        method()
