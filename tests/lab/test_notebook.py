"""Helpers of the notebooks, against counting by hand."""

import numpy as np
import pandas as pd
import pytest

from fairlab.core.estimate import Estimate
from fairlab.figures.faces import label_words
from fairlab.lab import record, seen_labels, share_table
from fairlab.lab.executed import RESULT
from fairlab.metrics.two_groups.pairs import EVERYTHING, as_claimed

BEFORE = pd.DataFrame({"Eyeglasses": [0, 1, 0, 1], "Male": [0, 0, 1, 1]})
AFTER = pd.DataFrame({"Eyeglasses": [0, 1, 1, 0], "Male": [1, 0, 0, 1]})


class Reader:
    """Sees one attribute in the red and one in the green of a picture."""

    attributes = ("Male", "Eyeglasses")

    def labels(self, images, progress=True):
        return (images[:, 0, 0, :2] > 127).astype(np.uint8)


def test_labels_come_in_the_order_asked_for():
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[1, ..., 0] = 255
    seen = seen_labels(Reader(), images, ["Eyeglasses", "Male"])
    assert seen.to_dict("list") == {"Eyeglasses": [0, 0], "Male": [0, 1]}
    assert label_words(seen) == ["not Eyeglasses\nnot Male", "not Eyeglasses\nMale"]
    assert list(seen_labels(Reader(), images).columns) == ["Male", "Eyeglasses"]


def test_shares_are_written_with_interval_and_count():
    table = share_table({"mirrored": as_claimed(BEFORE, AFTER, {"Male"})})
    assert table.loc["mirrored", "Male"].startswith("50.0% [")
    assert table.loc["mirrored", [EVERYTHING, "n"]].tolist() == ["25.0% [4.6, 69.9]", "4"]


@pytest.mark.parametrize(
    "found", [Estimate(0.5, 0.25, 0.75, 40), pd.Series({"value": 0.5, "low": 0.25, "high": 0.75, "n": 40.0})]
)
def test_a_result_is_printed_and_kept(found, monkeypatch):
    shown = []
    monkeypatch.setattr("fairlab.lab.notebook.display", lambda data, raw: shown.append(data))
    record("a share", found)
    assert shown[0]["text/plain"] == "a share: 0.500 [0.250, 0.750] (n = 40)"
    assert shown[0][RESULT] == {"name": "a share", "value": 0.5, "low": 0.25, "high": 0.75, "n": 40}
