"""What is said of attributes that cannot be told apart, and of groups with no or few images in a split."""

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.data import SPLITS
from fairlab.data.groups import FEW, require_groups, small_groups


def table(n=FEW, without=None, few=None):
    """Return labels and split of n images in each group and split, save one with none or few."""
    rows = [
        (part, y, a)
        for part in SPLITS
        for y in (0, 1)
        for a in (0, 1)
        for _ in range({without: 0, few: 2}.get((part, y, a), n))
    ]
    frame = pd.DataFrame(rows, columns=["split", "badge", "night"])
    return frame[["badge", "night"]], frame["split"].to_numpy(dtype=str)


def refusal(labels, split, pair=("badge", "night")):
    with pytest.raises(UserError) as refused:
        require_groups(labels, split, *pair, SPLITS)
    return str(refused.value)


def test_full_groups_are_taken_without_a_word():
    require_groups(*table(), "badge", "night", SPLITS)
    assert small_groups(*table(), "badge", "night", SPLITS) == ""


@pytest.mark.parametrize("part", SPLITS)
@pytest.mark.parametrize(("y", "kind"), [(0, "negatives"), (1, "positives")])
@pytest.mark.parametrize("a", [0, 1])
def test_an_empty_group_is_named_with_split_count_and_where_the_others_are(part, y, kind, a):
    said = refusal(*table(without=(part, y, a)))
    assert f"The {part} split has 0 {kind} of 'badge' among its {FEW} images with night={a}" in said
    assert all(f"{FEW} in {other}" in said for other in SPLITS if other != part)
    assert "column 'split'" in said


def test_a_group_that_is_nowhere_is_not_to_be_spread():
    labels, split = table()
    kept = ((labels["badge"] == 0) | (labels["night"] == 0)).to_numpy()
    said = refusal(labels[kept], split[kept])
    assert "no other split has any" in said
    assert "spread" not in said


@pytest.mark.parametrize(("flip", "words"), [(0, "the same"), (1, "opposite")])
def test_labels_that_always_agree_or_never_cannot_be_told_apart(flip, words):
    labels, split = table()
    labels = labels.assign(night=labels["badge"] ^ flip)
    said = refusal(labels, split)
    assert f"'badge' and 'night' cannot be told apart: their labels are {words} in all {len(labels)}" in said


@pytest.mark.parametrize(("name", "value"), [("badge", 1), ("night", 0)])
def test_a_constant_attribute_is_named(name, value):
    labels, split = table()
    assert f"label of '{name}' is {value} for all" in refusal(labels.assign(**{name: value}), split)


def test_one_attribute_is_not_two():
    assert "both 'badge'" in refusal(*table(), ("badge", "badge"))


def test_few_images_are_said_with_split_and_count():
    said = small_groups(*table(few=("valid", 1, 0)), "badge", "night", SPLITS)
    assert said.startswith("Few images: 2 of valid with badge=1, night=0.")
    require_groups(*table(few=("valid", 1, 0)), "badge", "night", SPLITS)


def test_a_split_without_any_image_is_refused():
    labels, split = table()
    assert "The valid split has 0" in refusal(labels, np.where(split == "valid", "test", split))
