"""The extensions' counts against counting by hand, and what their figure draws and says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlab.errors import UserError
from fairlab.lab import extension_plots as extensions
from fairlab.latent import Hyperplane

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


def test_claims_hold_where_flipped_labels_changed_and_the_others_stayed():
    flags = extensions.as_claimed(BEFORE, AFTER, {"Male"})
    assert flags["Eyeglasses"].tolist() == [True, True, False, False]
    assert flags["Male"].tolist() == [True, False, True, False]
    assert flags[extensions.EVERYTHING].tolist() == [True, False, False, False]
    nothing = extensions.as_claimed(BEFORE, BEFORE, ())
    assert nothing.to_numpy().all()


def test_claims_go_by_the_rows_place_not_by_its_index():
    shifted = AFTER.set_index(pd.Index([7, 8, 9, 10]))
    pd.testing.assert_frame_equal(
        extensions.as_claimed(BEFORE, shifted, {"Male"}), extensions.as_claimed(BEFORE, AFTER, {"Male"})
    )


def test_shares_are_said_with_interval_and_count():
    said = extensions.share_words(extensions.as_claimed(BEFORE, AFTER, {"Male"}))
    assert said["Male"].startswith("50.0% [")
    assert said[extensions.EVERYTHING].endswith("(1 of 4)")


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_a_paired_difference_is_that_of_the_shares_and_changes_sign_with_the_order(pairs):
    first, second = np.array(pairs).T
    found, turned = extensions.paired_difference(first, second), extensions.paired_difference(second, first)
    assert found.value == pytest.approx(first.mean() - second.mean())
    assert found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    np.testing.assert_allclose(turned[:3], [-found.value, -found.high, -found.low], atol=1e-12)
    assert found.n == len(pairs)


def test_a_paired_interval_is_narrower_than_pairs_that_agree_by_chance_would_allow():
    rng = np.random.default_rng(0)
    first = rng.random(400) < 0.5
    second = np.where(rng.random(400) < 0.05, ~first, first)  # differs in few places
    found = extensions.paired_difference(first, second)
    n_better, n_worse = (first & ~second).sum(), (second & ~first).sum()
    error = np.sqrt(n_better + n_worse - (n_better - n_worse) ** 2 / 400) / 400  # McNemar's
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert (
        str(found)
        == f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}] (n = 400)"
    )


def study(shares=(0.02, 0.1, 0.5)):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((1500, 4))
    noise = 0.3 * rng.standard_normal((2, 1500))
    labels = {
        "Male": (z[:, 0] + noise[0] > 0).astype(int),
        "Wearing_Hat": (z[:, 1] + noise[1] > 1).astype(int),
    }
    return extensions.skew_study(z, labels, shares, n_fit=1000), z, labels


def test_skew_moves_the_cut_more_than_the_direction():
    table, _, labels = study()
    assert table["attribute"].tolist() == ["Male"] * 3 + ["Wearing_Hat"] * 3
    male = table[table["attribute"] == "Male"].set_index("share")
    assert male.loc[0.02, "accuracy"] < male.loc[0.5, "accuracy"] - 0.1
    assert (male["cosine"] > 0.9).all()
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()
    assert (table["cosine_low"] <= table["cosine"]).all()
    assert (table["cosine"] <= table["cosine_high"]).all()
    hat = labels["Wearing_Hat"]
    rare = table[table["attribute"] == "Wearing_Hat"].set_index("share")
    assert rare.loc[0.5, "n_fitted"] == 2 * hat[:1000].sum()
    assert rare.loc[0.5, "guess"] == pytest.approx(1 - hat[1000:].mean())
    assert set(table["n_held_out"]) == {500}


def test_a_plane_fitted_to_everything_is_measured_as_it_measures_itself():
    _, z, labels = study(shares=(0.5,))
    y = labels["Male"]
    own = float(y[:1000].mean())
    table = extensions.skew_study(z, {"Male": y}, [own], n_fit=1000, draws=1)
    held_out, weak = (z[1000:], y[1000:]), extensions.REGULARISATION
    measured = Hyperplane.fit(z[:1000], y[:1000], held_out=held_out, regularisation=weak)
    assert table.loc[0, "n_fitted"] == 1000
    assert table.loc[0, "accuracy"] == pytest.approx(measured.held_out_accuracy)
    assert table.loc[0, "cosine"] == pytest.approx(1.0)


def test_a_share_that_cannot_be_drawn_ends_in_a_sentence():
    with pytest.raises(UserError, match="cannot be drawn"):
        study(shares=(0.0001,))


def test_curves_stand_at_the_numbers_and_the_caption_says_the_ends():
    table, *_ = study()
    figure = extensions.skew_curves(table)
    left, right = figure.axes
    for column, axis, scale in (("accuracy", left, 100), ("cosine", right, 1)):
        drawn = [container[0].get_ydata() for container in axis.containers]
        assert np.concatenate(drawn) == pytest.approx(scale * table[column].to_numpy())
    markers = {container[0].get_marker() for container in left.containers}
    assert len(markers) == 2
    assert "Wearing Hat" in words(figure)
    assert pixels(figure).std() > 5
    said = extensions.skew_curves_caption(table)
    first = table.iloc[0]
    assert f"Male: 2% of {first['n_fitted']:,} positive {100 * first['accuracy']:.1f}%" in said
    assert "Accuracy on 500 held-out latents" in said
    assert "over 3 draws" in said
    assert "10% of" not in said  # only the ends
