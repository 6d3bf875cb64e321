"""Exact counterfactuals of a run's test faces, and what both classifiers say of them."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.evaluation.pair_truth import read_labels
from fairlab.evaluation.results import scores_and_thresholds
from fairlab.experiments.run import Run
from fairlab.methods import DomainIndependent, load_classifier, train
from fairlab.metrics import counterfactual_flip_rate
from fairlab.studies.ground_truth import counterfactuals
from fairlab.studies.ground_truth.counterfactuals import (
    counterfactual_faces,
    counterfactual_flips,
    counterfactual_scores,
)

pytestmark = pytest.mark.slow
N = 120
MALE, EYEGLASSES = ATTRIBUTES.index("Male"), ATTRIBUTES.index("Eyeglasses")


@pytest.fixture(scope="module")
def run(smoke_home):
    return Run.of_preset("smoke", smoke_home, device="cpu")


def test_each_face_is_one_of_its_own_pair(run):
    faces = counterfactual_faces(run, N)
    stored = run.data.split_images("test")[:N].astype(int)
    male = faces.factors.truth[:, MALE].astype(bool)
    assert 0 < male.sum() < N
    own = np.where(male[:, None, None, None], faces.present, faces.absent)
    other = np.where(male[:, None, None, None], faces.absent, faces.present)
    assert np.abs(own - stored).max() <= 1  # float32 rounding in another batch
    assert np.abs(other - stored).mean(axis=(1, 2, 3)).min() > 1


def test_only_the_protected_attribute_is_another(run):
    faces = counterfactual_faces(run, N)
    seen = read_labels(run, faces.step).to_numpy().reshape(2, N, 40)
    assert seen[0, :, MALE].mean() < 0.1
    assert seen[1, :, MALE].mean() > 0.9
    assert (seen[:, :, EYEGLASSES] == faces.factors.truth[:, EYEGLASSES]).mean() > 0.95


def test_the_table_is_that_of_the_scores(run):
    table = counterfactual_flips(run, N)
    _, thresholds = scores_and_thresholds(run)
    for model, step in (("baseline", run.baseline(0)), ("debiased", run.debiased(0))):
        absent, present = counterfactual_scores(run, step, N)
        rows = table[(table["model"] == model) & (table["group"] == "all")].set_index("metric")
        wanted = counterfactual_flip_rate(absent, present, thresholds[model][0])
        assert rows.loc["flip_rate", "value"] == pytest.approx(wanted)
        assert rows.loc["score_change", "value"] == pytest.approx(np.mean(present - absent))
        assert (
            rows.loc["flip_rate", "n_positive"]
            == counterfactual_faces(run, N).factors.truth[:, EYEGLASSES].sum()
        )
    assert set(table["model"]) == {"baseline", "debiased", "debiased - baseline"}
    assert set(table["group"]) == {"all", "negatives", "positives", "not Male", "Male"}


def test_a_network_that_answers_by_group_is_told_as_what_a_face_was_drawn(run):
    step = train(DomainIndependent(rule="known_a", epochs=1), run.work, 0)
    scores, faces = counterfactual_scores(run, step, N), counterfactual_faces(run, N)
    network = load_classifier(step.folder, "cpu")
    for group, images in enumerate((faces.absent, faces.present)):
        expected = network.score(images, progress=False, groups=np.full(N, group))[:, 0]
        assert scores[group] == pytest.approx(expected, abs=1e-5)


def test_faces_are_drawn_and_scored_once(run, monkeypatch):
    first = counterfactual_flips(run, N)
    monkeypatch.setattr(counterfactuals, "draw", None)
    monkeypatch.setattr(counterfactuals, "load_classifier", None)
    assert counterfactual_flips(run, N).equals(first)


def test_no_face_and_other_images_are_refused(run):
    with pytest.raises(UserError, match="At least one face"):
        counterfactual_faces(run, 0)
    photographs = SimpleNamespace(work=SimpleNamespace(source=SimpleNamespace(name="celeba")))
    with pytest.raises(UserError, match="Only drawn faces can be redrawn"):
        counterfactual_faces(photographs, N)
