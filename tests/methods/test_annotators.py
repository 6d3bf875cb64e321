"""Annotators that learnt nothing: told apart by their ranking, refused, or in a trial made to part faces."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairlab.core.files import save_array, write_json
from fairlab.latent.hyperplane import OneSidedLabels
from fairlab.methods.latent_pairs.annotators import Annotator
from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels
from fairlab.metrics import average_precision
from fairlab.metrics.thresholds import parts, threshold_of_share

from .toys import shapes, small

Y = np.repeat([0, 1], 30)
NOISE = np.tile(np.linspace(0.43, 0.53, 30), 2)  # either label alike
CLEAR = Y * 0.5 + NOISE / 2


def annotator(y, scores):
    return Annotator(SimpleNamespace(fingerprint="f", folder=None), "badge", y, scores)


def labels(tmp_path, generated, *, of=None, trial=False):
    save_array(tmp_path / "scores.npy", np.asarray(generated, np.float32)[:, None])
    write_json(tmp_path / "classifier.json", {"attributes": ["badge"]})
    step = SimpleNamespace(fingerprint="f", folder=tmp_path)
    known = of or annotator(Y, CLEAR)
    return PseudoLabels(Annotator(step, "badge", known.truth, known.scores), step, slice(0, 20), trial)


def test_a_classifier_without_any_ranking_is_refused_with_its_ap_beside_chance():
    weak = annotator(Y, NOISE)
    assert weak.is_one_sided
    assert not weak.has_learnt
    with pytest.raises(OneSidedLabels) as refused:
        weak.require()
    ap = f"AP {100 * average_precision(Y, NOISE):.1f}%, where 50.0% of 60 validation images"
    for words in ("The classifier of 'badge' has learnt nothing", ap, "--preset quick"):
        assert words in str(refused.value)
    assert "shows only that everything runs" in weak.note


def test_a_good_classifier_keeps_the_threshold_of_the_best_f1_and_is_not_spoken_of():
    good = annotator(Y, CLEAR)
    assert (good.threshold, good.note) == (good.best_f1, "")
    good.require()


def test_a_common_attribute_that_was_learnt_is_labelled_at_the_calibrated_threshold():
    y = np.r_[np.zeros(3, int), np.ones(57, int)]
    scores = np.r_[0.93, 0.94, 0.95, np.linspace(0.94, 0.999, 57)]
    common = annotator(y, scores)
    assert common.has_learnt
    assert common.is_one_sided
    common.require()
    assert (scores > common.threshold).sum() == 57
    assert "would call every face 'badge'" in common.note


def test_generated_faces_of_one_side_are_refused_by_name_or_parted_in_a_trial(tmp_path):
    faces = np.linspace(0.8, 0.9, 40)
    with pytest.raises(OneSidedLabels, match=r"'badge' gives all of 20 generated faces the same label"):
        _ = labels(tmp_path, faces).labels
    parted = labels(tmp_path, faces, trial=True)
    assert parted.labels[:20].sum() == 10  # as many as of validation images are positive
    assert "shows only that everything runs" in parted.note
    assert parted.fingerprint != "f"
    assert labels(tmp_path, np.r_[faces, 0.1][::-1]).fingerprint == "f"


def test_faces_that_are_all_the_same_cannot_be_parted(tmp_path):
    with pytest.raises(OneSidedLabels):
        _ = labels(tmp_path, np.full(40, 0.8), trial=True).labels


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98, 1.0])
def test_a_threshold_of_a_share_always_parts(share):
    scores = np.random.default_rng(0).permutation(np.linspace(0.4, 0.5, 50))
    found = threshold_of_share(scores, share)
    assert parts(scores, found)
    assert (scores > found).sum() == np.clip(round(50 * share), 1, 49)


def test_no_generator_is_trained_for_annotators_that_learnt_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(Annotator, "has_learnt", False)
    monkeypatch.setattr(Annotator, "is_one_sided", True)
    work = shapes(tmp_path, trial=False)
    monkeypatch.setattr(type(work), "trains_generator", True)
    with pytest.raises(OneSidedLabels, match="The classifier of 'Square' has learnt nothing"):
        small("latent_pairs").faces(work)
    assert not (tmp_path / "generators").exists()
    assert not list((tmp_path / "latents").glob("*"))
