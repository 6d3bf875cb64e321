"""The extensions' counts against counting by hand, and what their figure draws and says."""

import numpy as np
import pandas as pd
import pytest

from fairlab.evaluation.skewed_fits import skew_study
from fairlab.figures import extension_plots as extensions
from fairlab.metrics.two_groups.pairs import EVERYTHING, as_claimed

from .test_plots import pixels, words

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
    seen = extensions.seen_labels(Reader(), images, ["Eyeglasses", "Male"])
    assert seen.to_dict("list") == {"Eyeglasses": [0, 0], "Male": [0, 1]}
    assert extensions.seen_words(seen) == ["not Eyeglasses\nnot Male", "not Eyeglasses\nMale"]


def test_shares_are_said_with_interval_and_count():
    said = extensions.share_words(as_claimed(BEFORE, AFTER, {"Male"}))
    assert said["Male"].startswith("50.0% [")
    assert said[EVERYTHING].endswith("(n = 4)")


def test_curves_stand_at_the_numbers_and_the_caption_says_the_ends():
    rng = np.random.default_rng(1)
    z = rng.standard_normal((1500, 4))
    labels = {"Male": (z[:, 0] > 0).astype(int), "Wearing_Hat": (z[:, 1] > 1).astype(int)}
    table = skew_study(z, labels, (0.02, 0.1, 0.5), n_fit=1000)
    figure = extensions.skew_curves(table).figure
    left, right = figure.axes
    for column, axis, scale in (("accuracy", left, 100), ("cosine", right, 1)):
        drawn = [container[0].get_ydata() for container in axis.containers]
        assert np.concatenate(drawn) == pytest.approx(scale * table[column].to_numpy())
    markers = {container[0].get_marker() for container in left.containers}
    assert len(markers) == 2
    assert "Wearing Hat" in words(figure)
    assert pixels(figure).std() > 5
    said = extensions.skew_curves(table).text
    first = table.iloc[0]
    assert f"Male: 2% of {first['n_fitted']:,} positive {100 * first['accuracy']:.1f}%" in said
    assert "Accuracy on 500 held-out latents" in said
    assert "over 3 draws" in said
    assert "10% of" not in said  # only the ends
