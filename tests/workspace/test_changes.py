"""What differs between two tables of labels, in words."""

import numpy as np
import pandas as pd
import pytest

from fairlab.workspace.changes import changes
from fairlab.workspace.source import Labelled


def labelled(n=6, **columns):
    index = pd.Index([f"{i}.png" for i in range(n)])
    values = {"badge": [0, 1] * (n // 2), "night": [0] * n} | columns
    return Labelled(pd.DataFrame(values, index=index), np.array(["train"] * n), None)


def without(given, rows):
    kept = np.setdiff1d(np.arange(len(given.labels)), rows)
    return Labelled(given.labels.iloc[kept], given.split[kept], None)


def test_equal_tables_have_no_changes():
    assert changes(labelled(), labelled()) == ""


def test_a_corrected_label_is_named_with_its_image():
    now = labelled(badge=[0, 1, 0, 0, 0, 1])
    assert changes(labelled(), now) == "1 of 6 labels of 'badge' differs, first 3.png"


def test_attributes_that_matter_come_first_and_many_are_counted():
    columns = {name: [0] * 6 for name in "abcdef"}
    flipped = {name: [1] * 6 for name in "abcdef"}
    said = changes(labelled(**columns), labelled(**flipped), ["f"])
    assert said.startswith("6 of 6 labels of 'f' differ, first 0.png; 6 of 6 labels of 'a'")
    assert said.endswith("so do labels of 3 more attributes")


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (labelled(), without(labelled(), [5]), "1 image is gone, first 5.png"),
        (without(labelled(), [1, 2]), labelled(), "2 images are new, first 1.png"),
        (labelled(), labelled(mask=[0] * 6), "the label 'mask' is new"),
        (labelled(a=[0] * 6, b=[0] * 6), labelled(), "the labels 'a', 'b' are gone"),
        (
            labelled(),
            labelled()._replace(split=np.repeat(["train", "test"], 3)),
            "3 of 6 images are in another",
        ),
        (labelled(), labelled()._replace(identity=np.array(list("aabbcc"))), "people are named only now"),
    ],
)
def test_images_columns_splits_and_people_that_came_or_went(before, now, said):
    assert changes(before, now).startswith(said)


def test_a_broken_image_is_not_new():
    assert changes(without(labelled(), [2]), labelled(), broken=["2.png"]) == ""
