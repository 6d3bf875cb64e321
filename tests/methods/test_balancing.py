"""Cells: who counts how much, who is drawn how often, and that an empty one is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.classifiers import TrainingSet
from fairlab.core.errors import UserError
from fairlab.methods import ERM, LISA, GroupDRO, MixUp, Oversampling, Reweighting
from fairlab.methods.cells import cells_of, equal_chances
from fairlab.workspace.halves import halves_of_cells

from .toys import shapes


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


def share(values, y, a):
    """Return, by label and group, what part of the sum of `values` each cell has."""
    return np.array([[values[(y == i) & (a == j)].sum() for j in (0, 1)] for i in (0, 1)]) / values.sum()


@pytest.fixture(scope="module")
def labels(work):
    return work.labels("train")[:, 0], work.groups("train")


def test_weights_keep_labels_and_make_groups_weigh_the_same_within_each(work, labels):
    y, a = labels
    weights = Reweighting().training_set(work, 0).weights
    assert weights.mean() == pytest.approx(1)
    assert share(weights, y, a) == pytest.approx(np.outer([1 - y.mean(), y.mean()], [0.5, 0.5]))
    for i, j, n in ((i, j, np.sum((y == i) & (a == j))) for i in (0, 1) for j in (0, 1)):
        assert weights[(y == i) & (a == j)] == pytest.approx(np.sum(y == i) / (2 * n))


@pytest.mark.parametrize("method", [Oversampling(cells=True), GroupDRO(), LISA()])
def test_cells_are_drawn_equally(method, work, labels):
    draws = method.training_set(work, 0).draws
    assert share(draws, *labels) == pytest.approx(np.full((2, 2), 0.25))


def test_mixing_within_labels_and_plain_training_draw_each_image_once(work):
    assert MixUp(by_group=True).training_set(work, 0).draws is None
    assert MixUp(by_group=True).protected_at == "training"
    assert MixUp().training_set(work, 0).groups is ERM().training_set(work, 0).groups is None


@given(st.lists(st.integers(1, 50), min_size=4, max_size=4))
def test_equal_chances_are_a_distribution(counts):
    cells = np.repeat(np.arange(4), counts)
    chances = equal_chances(cells)
    assert chances.sum() == pytest.approx(1)
    assert [chances[cells == cell].sum() for cell in range(4)] == pytest.approx([0.25] * 4)


def test_an_empty_cell_is_named():
    y, a = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    data = TrainingSet(np.zeros((4, 2, 2, 3), np.uint8), y[:, None], a)
    with pytest.raises(UserError, match="have 0 with target label 1 and protected label 0"):
        cells_of(data)
    with pytest.raises(UserError, match="one target with labels 0 and 1"):
        cells_of(TrainingSet(data.images, np.column_stack([y, a]), a))


@given(st.lists(st.integers(0, 3), min_size=4, max_size=200), st.integers(0, 2**31))
def test_halves_are_disjoint_and_alike_in_every_cell(cells, seed):
    cells = np.array(cells)
    fit, selection = halves_of_cells(cells // 2, cells % 2, seed)
    assert sorted([*fit, *selection]) == list(range(len(cells)))
    assert list(fit) == sorted(fit)
    difference = np.bincount(cells[fit], minlength=4) - np.bincount(cells[selection], minlength=4)
    assert np.abs(difference).max() <= 1
    again, _ = halves_of_cells(cells // 2, cells % 2, seed)
    assert np.array_equal(fit, again)


def test_halves_of_validation_images_share_nothing_and_do_not_depend_on_outputs(work):
    fit, selection = (work.validation_half(half) for half in ("fit", "selection"))
    images = np.concatenate([half.images[np.arange(len(half))] for half in (fit, selection)])
    rows = np.concatenate(work.halves())
    assert np.array_equal(images[np.argsort(rows)], work.images("valid")[np.arange(len(rows))])
    assert np.array_equal(np.append(fit.groups, selection.groups)[np.argsort(rows)], work.groups("valid"))
    assert np.array_equal(work.predicting("Loud").halves()[0], work.halves()[0])
