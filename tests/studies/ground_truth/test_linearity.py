"""Plane against network: the measures against scikit-learn, the table against a plane fitted apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score

from fairlab.core.errors import UserError
from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.latent import Hyperplane
from fairlab.studies.ground_truth import linearity
from fairlab.studies.ground_truth.linearity import (
    accuracies,
    areas_under_curve,
    held_out_scores,
    plane_against_nonlinear,
)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_measures_are_those_of_scikit_learn_with_weights(seed, levels):
    rng = np.random.default_rng(seed)
    y = np.append(rng.integers(2, size=18), [0, 1])
    scores = rng.integers(-levels, levels, size=20) / levels  # with ties
    counts = np.concatenate([rng.integers(0, 3, size=(3, 18)), np.ones((3, 2), int)], axis=1)
    wanted = [roc_auc_score(y, scores, sample_weight=row) for row in counts]
    np.testing.assert_allclose(areas_under_curve(y, scores, counts), wanted, atol=1e-12)
    wanted = [accuracy_score(y, scores > 0, sample_weight=row) for row in counts]
    np.testing.assert_allclose(accuracies(y, scores, counts), wanted, atol=1e-12)


def test_one_class_has_no_area():
    counts = np.array([[1, 1, 0], [1, 0, 1]])
    areas = areas_under_curve(np.array([1, 1, 0]), np.array([0.1, 0.2, 0.3]), counts)
    assert np.isnan(areas[0])
    assert areas[1] == 0


def test_the_network_finds_what_no_plane_can_and_no_more_than_that():
    """Whoever is far from the middle along one direction: a boundary of two parallel sheets."""
    z = np.random.default_rng(0).normal(size=(6_000, 4))
    for y, bend in (((np.abs(z[:, 0]) > 0.67).astype(int), True), ((z[:, 0] > 0).astype(int), False)):
        scores = held_out_scores(z, y, n_fit=4_000, seed=0)
        plane, network = (roc_auc_score(y[4_000:], row) for row in scores)
        assert network > 0.95
        assert (network - plane > 0.3) == bend


@pytest.mark.slow
def test_a_run_s_plane_is_counted_and_kept(smoke_home, monkeypatch):
    run = Run.of_preset("smoke", smoke_home, device="cpu")
    table = plane_against_nonlinear(run, ["Male"])
    values = table.set_index(["model", "metric"])["value"]
    z, y = run.pairs(0).all_z, read_labels(run, run.pairs(0).faces)["Male"].to_numpy()
    distances = Hyperplane.fit(z[:600], y[:600]).distance(z[600:])
    assert values["plane", "accuracy"] == pytest.approx(((distances > 0) == y[600:]).mean())
    assert values["plane", "ROC AUC"] == pytest.approx(roc_auc_score(y[600:], distances))
    assert values["majority", "accuracy"] == pytest.approx(max(y[600:].mean(), 1 - y[600:].mean()))
    for metric in ("accuracy", "ROC AUC"):
        gap = values["network", metric] - values["plane", metric]
        assert values["network - plane", metric] == pytest.approx(gap)
    assert set(table["n"]) == {900}
    monkeypatch.setattr(linearity, "MLPClassifier", None)
    assert plane_against_nonlinear(run, ["Male"]).equals(table)
    with pytest.raises(UserError, match="no attribute 'Mail'"):
        plane_against_nonlinear(run, ["Mail"])
