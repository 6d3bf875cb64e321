"""Labels of generated images: the threshold of the best F1, by one classifier each or one for all."""

import dataclasses

import numpy as np
import pytest

from fairlab.classifiers import Classifier
from fairlab.core.files import load_array, read_json
from fairlab.experiments.presets import SMOKE_CLASSIFIER
from fairlab.experiments.run import MULTI_LABEL_LENGTH, Run
from fairlab.metrics import best_f1_threshold

pytestmark = pytest.mark.slow

#: A network that learns next to nothing, in a second.
SMALL = dataclasses.replace(SMOKE_CLASSIFIER, width=4, epochs=1)


@pytest.fixture(scope="module")
def plain(smoke_home):
    return Run.of_preset("smoke", smoke_home)


@pytest.fixture(scope="module")
def multi(smoke_home):
    """A run of two training seeds whose generated images one network labels."""
    sizes = {"n_fit": 200, "n_held_out": 40, "n_pairs": 60, "classifier": SMALL, "seeds": 2}
    return Run.of_preset("smoke", smoke_home, name="multi", labeller="multi_label", **sizes)


def f1(y, predicted):
    return 2 * (y & predicted).sum() / max(1, y.sum() + predicted.sum())


def check_threshold(labelling, run):
    """The threshold is the best for the attribute's scores and labels of the real validation images."""
    network = Classifier.load(labelling.classifier.folder, run.device)
    column = network.attributes.index(labelling.attribute)
    scores = network.score(run.images("valid"))[:, column]
    y = run.data.label(labelling.attribute, "valid").astype(bool)
    reached = f1(y, scores > labelling.threshold)
    assert 0 < reached >= max(f1(y, scores > limit) for limit in np.arange(1, 10) / 10)
    assert labelling.threshold == pytest.approx(best_f1_threshold(y, scores))


@pytest.mark.parametrize("role", ["target", "protected"])
def test_labels_are_scores_above_the_threshold_of_the_best_f1_on_real_images(plain, role):
    labelling = plain.labelling(role, 0)
    assert labelling.attribute == plain.roles[role]
    check_threshold(labelling, plain)
    network = Classifier.load(labelling.classifier.folder, plain.device)
    some = load_array(plain.latents().folder / "images.npy")[:40]
    assert np.allclose(network.score(some)[:, 0], labelling.scores[:40], atol=1e-5)
    labels = plain.labels(0)[role]
    assert labels.shape == (plain.experiment.n_latents,)
    assert np.array_equal(labels, labelling.scores > plain.thresholds(0)[role])


def test_by_default_baseline_and_protected_classifier_label(plain):
    assert plain.labeller("target", 0).folder == plain.baseline(0).folder
    for seed in (0, 1):
        assert plain.labeller("protected", seed).folder == plain.protected().folder


def test_one_network_for_all_attributes_labels_for_every_role_and_seed(multi):
    labellers = {multi.labeller(role, seed).folder for role in ("target", "protected") for seed in (0, 1)}
    assert len(labellers) == 1
    network = Classifier.load(labellers.pop(), multi.device)
    assert network.attributes == multi.data.varied_attributes
    assert len(network.attributes) > 30
    record = read_json(multi.labeller("target", 0).folder / "step.json")
    assert record["config"]["recipe"]["epochs"] == MULTI_LABEL_LENGTH * SMALL.epochs


def test_every_attribute_has_its_own_column_and_threshold(multi):
    labelling = {role: multi.labelling(role, 1) for role in ("target", "protected")}
    assert labelling["target"].generated.folder == labelling["protected"].generated.folder
    thresholds = read_json(labelling["target"].generated.folder / "thresholds.json")
    assert tuple(thresholds) == multi.data.varied_attributes
    scores = load_array(labelling["target"].generated.folder / "scores.npy")
    assert scores.shape == (multi.experiment.n_latents, len(thresholds))
    for role, attribute in (("target", "Eyeglasses"), ("protected", "Male")):
        assert labelling[role].threshold == thresholds[attribute]
        assert np.array_equal(labelling[role].scores, scores[:, list(thresholds).index(attribute)])
        check_threshold(labelling[role], multi)
    assert not np.array_equal(labelling["target"].scores, labelling["protected"].scores)


def test_seeds_that_share_labels_share_planes_and_partners(multi):
    assert multi.partners(0) == multi.partners(1)
    first, second = (multi.hyperplanes(seed)["target"].normal for seed in (0, 1))
    assert np.array_equal(first, second)
    assert not (multi.folder / "seed1").exists()
