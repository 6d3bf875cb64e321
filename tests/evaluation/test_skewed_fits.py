"""Fits to skewed labels: what moves, and how it is counted."""

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.evaluation.skewed_fits import REGULARISATION, skew_study
from fairlab.latent import Hyperplane


def study(shares=(0.02, 0.1, 0.5)):
    rng = np.random.default_rng(1)
    z = rng.standard_normal((1500, 4))
    noise = 0.3 * rng.standard_normal((2, 1500))
    labels = {
        "Male": (z[:, 0] + noise[0] > 0).astype(int),
        "Wearing_Hat": (z[:, 1] + noise[1] > 1).astype(int),
    }
    return skew_study(z, labels, shares, n_fit=1000), z, labels


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
    table = skew_study(z, {"Male": y}, [own], n_fit=1000, draws=1)
    held_out, weak = (z[1000:], y[1000:]), REGULARISATION
    measured = Hyperplane.fit(z[:1000], y[:1000], held_out=held_out, regularisation=weak)
    assert table.loc[0, "n_fitted"] == 1000
    assert table.loc[0, "accuracy"] == pytest.approx(measured.held_out_accuracy)
    assert table.loc[0, "cosine"] == pytest.approx(1.0)


def test_a_share_that_cannot_be_drawn_ends_in_a_sentence():
    with pytest.raises(UserError, match="cannot be drawn"):
        study(shares=(0.0001,))
