"""Training sets: joined, checked, and drawn in batches."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairlab.classifiers import Recipe, TrainingSet
from fairlab.classifiers.batches import epoch_batches, epoch_rows
from fairlab.core.errors import UserError


def made(n, first=0, **columns):
    """Return n tiny images, each of the colour of its number, labelled by turns."""
    images = (
        np.zeros((n, 2, 2, 3), np.uint8) + np.arange(first, first + n, dtype=np.uint8)[:, None, None, None]
    )
    return TrainingSet(images, (np.arange(n) % 2)[:, None], **columns)


def numbers(data):
    return data.images[np.arange(len(data))][:, 0, 0, 0].tolist()


def test_joined_sets_have_the_images_labels_and_fingerprints_of_both_the_first_ones_first():
    both = made(3, inputs={"data": "x", "same": "old"}, images_before=5) + made(
        2, first=7, inputs={"pairs": "y", "same": "new"}, images_before=6
    )
    assert len(both) == 5
    assert numbers(both) == [0, 1, 2, 7, 8]
    assert both.labels[:, 0].tolist() == [0, 1, 0, 0, 1]
    assert both.inputs == {"data": "x", "pairs": "y", "same": "old+new"}  # both count
    assert both.images_before == 11
    assert both.groups is both.weights is both.draws is both.partners is None


def test_what_one_of_two_sets_lacks_says_nothing_or_is_not_known():
    columns = {"groups": [0, 1], "weights": [3.0, 0.5], "draws": [0.2, 0.8], "partners": [1, -1]}
    full = made(2, **{name: np.array(values) for name, values in columns.items()})
    for both, rows, partners in (
        (full + made(3), slice(0, 2), [1, -1, -1, -1, -1]),
        (made(3) + full, slice(3, 5), [-1, -1, -1, 4, -1]),
    ):
        assert both.groups is None
        for name in ("weights", "draws"):  # the others count as much as these on average
            column, own = getattr(both, name), getattr(full, name)
            assert column[rows] == pytest.approx(own / own.mean())
            assert np.delete(column, rows).tolist() == [1, 1, 1]
        assert both.partners.tolist() == partners
    twice = full + full
    assert twice.groups.tolist() == [0, 1, 0, 1]
    assert twice.partners.tolist() == [1, -1, 3, -1]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4))
def test_in_whatever_order_sets_are_joined_partners_stay_the_same_images(sizes):
    """Images of sets of odd size have the mirrored image of their set as a partner, others have none."""
    firsts = [10 * number for number in range(len(sizes))]
    sets = [
        made(n, first, partners=np.arange(n)[::-1]) if n % 2 else made(n, first)
        for n, first in zip(sizes, firsts, strict=True)
    ]
    left, right = sets[0], sets[-1]
    for data in sets[1:]:
        left = left + data
    for data in sets[-2::-1]:
        right = data + right
    shown = np.array(numbers(left))
    assert numbers(right) == shown.tolist()
    mirrored = {
        first + k: first + n - 1 - k
        for n, first in zip(sizes, firsts, strict=True)
        if n % 2
        for k in range(n)
    }
    for both in (left, right):
        partners = np.full(len(both), -1) if both.partners is None else both.partners
        found = {a: shown[row] for a, row in zip(shown.tolist(), partners, strict=True) if row >= 0}
        assert found == mirrored


def test_without_groups_neither_they_nor_their_mark_are_left():
    data = made(2, groups=np.array([0, 1]), inputs={"data": "x", "groups": "Male"})
    plain = data.without_groups()
    assert plain.groups is None
    assert plain.inputs == {"data": "x"}
    assert data.known_groups().tolist() == [0, 1]
    with pytest.raises(UserError, match="needs the protected label of every training image"):
        plain.known_groups()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"labels": np.zeros((4, 2))}, r"shape \(4, 2\) do not fit 4 images and 1 attributes"),
        ({"labels": np.array([[0], [1], [2], [0]])}, "labels that are 0 or 1, or between"),
        ({"labels": np.ones((4, 1))}, "All 4 training images have Smiling = 1"),
        ({"weights": np.ones(3)}, "Sample weights must be 4 numbers"),
        ({"weights": np.array([1, -1, 1, 1])}, "Sample weights must be 4 numbers, not negative"),
        ({"weights": np.zeros(4)}, "not all 0"),
        ({"draws": np.array([1, np.nan, 1, 1])}, "Chances of being drawn must be 4 numbers"),
        ({"groups": np.zeros(3)}, "Groups of shape"),
        ({"partners": np.array([1, 0, 4, -1])}, "Partners must be 4 rows of these images"),
    ],
)
def test_what_cannot_be_learnt_from_is_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        replace(made(4), **changes).check(("Smiling",))


def test_soft_labels_and_weights_of_any_scale_are_learnt_from():
    data = replace(made(4), labels=np.array([[0.1], [0.9], [0.5], [0.0]]), weights=np.array([0, 5, 5, 10]))
    data.check(("Smiling",))
    recipe = Recipe(batch_size=4, resize=None, padding=0, crop=2)
    ((batch, n),) = epoch_batches(data, recipe, 0, 1, torch.device("cpu"))
    assert n == 4
    torch.testing.assert_close(batch.labels, torch.tensor([[0.1], [0.9], [0.5], [0.0]]))
    torch.testing.assert_close(batch.weights, torch.tensor([0.0, 1.0, 1.0, 2.0]))  # a mean of 1 over the set
    assert batch.groups is batch.partners is None


@pytest.mark.parametrize("scale", [1.0, 1e-4])
def test_over_sampled_images_beside_others_are_drawn_as_often_as_there_are_of_them(scale):
    """Chances that sum to 1 over many images are small numbers; beside other images they must not vanish."""
    balanced = made(100, draws=scale * np.linspace(0, 2, 100))
    for first, second in ((balanced, made(50)), (made(50), balanced), (balanced, balanced)):
        both = first + second
        drawn = np.concatenate([rows for e in range(200) for rows in epoch_rows(both, Recipe(), 0, e)])
        share = np.mean(drawn < len(first))
        assert share == pytest.approx(len(first) / len(both), abs=5 * np.sqrt(0.25 / len(drawn)))


@given(n=st.integers(2, 200), batch_size=st.integers(2, 50), seed=st.integers(0, 2**31))
def test_an_epoch_shows_every_image_once_in_batches_no_smaller_than_asked_for(n, batch_size, seed):
    recipe = Recipe(batch_size=batch_size)
    batches = epoch_rows(made(n), recipe, seed, 1)
    assert sorted(np.concatenate(batches).tolist()) == list(range(n))
    assert min(map(len, batches)) >= min(n, batch_size)
    again = np.concatenate(epoch_rows(made(n), recipe, seed, 1))
    assert np.array_equal(np.concatenate(batches), again)


def test_another_epoch_and_another_seed_show_another_order():
    orders = [
        np.concatenate(epoch_rows(made(50), Recipe(), *key)).tolist() for key in ((0, 1), (0, 2), (1, 1))
    ]
    assert len(set(map(tuple, orders))) == 3


def test_chances_say_how_often_an_image_is_drawn_anew_in_each_epoch():
    data = made(4, draws=np.array([0.0, 1.0, 1.0, 2.0]))
    drawn = [np.concatenate(epoch_rows(data, Recipe(batch_size=2), 0, e)) for e in range(2_000)]
    assert {len(rows) for rows in drawn} == {4}
    share = np.bincount(np.concatenate(drawn), minlength=4) / 8_000
    assert share[0] == 0
    assert share == pytest.approx([0, 0.25, 0.25, 0.5], abs=5 * np.sqrt(0.25 / 8_000))
