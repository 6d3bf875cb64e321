"""Pseudo-labels: the threshold of the best F1, by one annotator each or one for all attributes."""

import numpy as np
import pytest

from fairlab.core.files import load_array, read_json
from fairlab.methods import ERM, Oversampling, Pairs, load_classifier, method_from, train
from fairlab.methods.latent_pairs.generated import MULTI_LABEL_LENGTH, roles
from fairlab.metrics import best_f1_threshold

from .toys import RECIPE, shapes, small


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


@pytest.fixture(scope="module")
def pairs(work):
    return Pairs(small("latent_pairs"), work, 0)


@pytest.fixture(scope="module")
def multi(work):
    """Pairs of two training seeds whose faces one network labels."""
    return [Pairs(small("latent_pairs", multi_label=True), work, seed) for seed in (0, 1)]


def f1(y, predicted):
    return 2 * (y & predicted).sum() / max(1, y.sum() + predicted.sum())


def check_labels(given, work, faces):
    """Scores are the annotator's; the threshold is the best for real validation images."""
    network = load_classifier(given.annotator.step.folder, "cpu")
    column = network.attributes.index(given.attribute)
    images = load_array(faces.folder / "images.npy")
    assert np.allclose(network.score(images, progress=False)[:, column], given.scores, atol=1e-6)
    assert np.array_equal(given.labels, given.scores > given.threshold)
    scores = network.score(work.images("valid"), progress=False)[:, column]
    y = work.data.label(given.attribute, "valid").astype(bool)
    assert given.annotator.best_f1 == pytest.approx(best_f1_threshold(y, scores))
    assert (
        0 < f1(y, scores > given.annotator.best_f1) >= max(f1(y, scores > t) for t in np.arange(1, 10) / 10)
    )


@pytest.mark.parametrize("role", ["target", "protected"])
def test_labels_are_scores_above_the_threshold_of_the_best_f1_on_real_images(work, pairs, role):
    given = pairs.pseudo_labels[role]
    assert given.attribute == roles(work)[role]
    check_labels(given, work, pairs.faces)
    assert pairs.thresholds[role] == given.threshold
    assert np.array_equal(pairs.all_labels[role], given.labels)
    assert given.labels.shape == (pairs.method.n_latents,)


def test_by_default_baseline_and_protected_classifier_annotate(work, pairs):
    for seed in (0, 1):
        assert pairs.method.annotator_of(work, "target", seed) == train(ERM(), work, seed)
        protected = pairs.method.annotator_of(work, "protected", seed)
        assert protected == train(ERM(), work.predicting("Red"), 0)


def test_another_method_may_train_the_target_s_annotator_alone(work):
    method = small("latent_pairs", annotator="oversampling")
    target, protected = (method.annotator_of(work, role, 1) for role in ("target", "protected"))
    assert target == train(Oversampling(), work, 1)
    described = read_json(target.folder / "classifier.json")["facts"]["method"]
    assert method_from(described) == Oversampling()
    assert protected == train(ERM(), work.predicting("Red"), 0)
    given = Pairs(method, work, 1).pseudo_labels["target"]
    assert given.annotator.step == target
    check_labels(given, work, method.faces(work))


def test_one_network_for_all_attributes_annotates_for_every_role_and_seed(work, multi):
    annotators = {given.annotator.step.folder for pairs in multi for given in pairs.pseudo_labels.values()}
    assert len(annotators) == 1
    card = read_json(annotators.pop() / "classifier.json")
    assert tuple(card["attributes"]) == work.data.varied_attributes == ("Square", "Red", "Loud")
    assert card["recipe"]["epochs"] == MULTI_LABEL_LENGTH * RECIPE.epochs


def test_every_attribute_has_its_own_column_and_threshold(work, multi):
    given = multi[1].pseudo_labels
    assert given["target"].step == given["protected"].step
    scores = load_array(given["target"].step.folder / "scores.npy")
    assert scores.shape[1] == len(work.data.varied_attributes)
    for role, column in (("target", 0), ("protected", 1)):
        assert np.array_equal(given[role].scores, scores[:, column])
        check_labels(given[role], work, multi[1].faces)
    assert not np.array_equal(given["target"].scores, given["protected"].scores)


def test_targets_that_one_network_labels_have_planes_and_partners_of_their_own(work, multi):
    other = shapes(work.home, target="Loud")
    square, loud = multi[0], Pairs(multi[0].method, other, 0)
    assert square.pseudo_labels["target"].step.folder == loud.pseudo_labels["target"].step.folder
    assert square.planes_step.folder != loud.planes_step.folder
    assert square.partners.folder != loud.partners.folder
    assert square.planes["target"].cosine(loud.planes["target"]) < 1 - 1e-6
