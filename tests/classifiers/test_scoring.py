"""Scores, saving and loading."""

import json

import numpy as np
import pytest
import torch

from fairlab.classifiers import Classifier, Concatenated
from fairlab.classifiers.networks import build_network
from fairlab.core.errors import UserError


@pytest.fixture
def classifier(recipe):
    return Classifier(("Smiling", "Bangs"), recipe, build_network(recipe, 2, seed=3))


def test_scores_are_probabilities_and_do_not_depend_on_the_batches(classifier, faces):
    images, _ = faces(50)
    scores = classifier.score(images, progress=False)
    assert scores.shape == (50, 2)
    assert scores.dtype == np.float32
    assert ((scores > 0) & (scores < 1)).all()
    for batch_size in (1, 7, 50):
        np.testing.assert_allclose(
            classifier.score(images, batch_size=batch_size, progress=False), scores, atol=1e-5
        )
    halves = Concatenated([images[:20], images[20:]])
    np.testing.assert_allclose(classifier.score(halves, progress=False), scores, atol=1e-5)


def test_scores_are_the_sigmoid_of_the_logits(classifier, faces):
    images, _ = faces(8)
    logits = classifier.logits(images, progress=False)
    np.testing.assert_allclose(classifier.score(images, progress=False), 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_scoring_no_images_gives_no_scores(classifier, faces):
    assert classifier.score(faces(4)[0][:0], progress=False).shape == (0, 2)


def test_scoring_is_evaluation_even_in_training_mode(classifier, faces):
    images, _ = faces(8)
    expected = classifier.score(images, progress=False)
    classifier.train()
    np.testing.assert_array_equal(classifier.score(images, progress=False), expected)


def test_a_classifier_survives_its_files(classifier, faces, tmp_path):
    classifier.save(tmp_path, best_epoch={"epoch": 2})
    loaded = Classifier.load(tmp_path, "cpu")
    images, _ = faces(8)
    np.testing.assert_array_equal(
        loaded.score(images, progress=False), classifier.score(images, progress=False)
    )
    assert (loaded.attributes, loaded.recipe) == (classifier.attributes, classifier.recipe)
    card = json.loads((tmp_path / "classifier.json").read_text())
    assert card["best_epoch"] == {"epoch": 2}
    assert card["versions"]["torch"] == torch.__version__


def test_bfloat16_scores_are_close_and_do_not_tie(classifier, faces, tmp_path):
    classifier.save(tmp_path)
    card = json.loads((tmp_path / "classifier.json").read_text())
    card["recipe"]["precision"] = "bfloat16"
    (tmp_path / "classifier.json").write_text(json.dumps(card))
    images, _ = faces(200)
    scores = Classifier.load(tmp_path, "cpu").score(images, progress=False)
    np.testing.assert_allclose(scores, classifier.score(images, progress=False), atol=0.02)
    assert len(np.unique(scores[:, 0])) > 190


def damage(folder, name, content):
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("weights.safetensors", b"", "weights.safetensors is damaged"),
        ("weights.safetensors", b"\x10" * 64, "weights.safetensors is damaged"),
        ("classifier.json", b"{", "not readable as JSON"),
        ("classifier.json", b"[1]", "does not describe a classifier"),
        ("classifier.json", b'{"attributes": ["Smiling"]}', "does not describe a classifier"),
    ],
)
def test_a_damaged_file_is_one_sentence(classifier, tmp_path, name, content, sentence):
    classifier.save(tmp_path)
    damage(tmp_path, name, content)
    with pytest.raises(UserError, match=sentence):
        Classifier.load(tmp_path)


def test_weights_of_another_network_are_one_sentence(classifier, tmp_path):
    classifier.save(tmp_path)
    card = json.loads((tmp_path / "classifier.json").read_text())
    damage(tmp_path, "classifier.json", json.dumps(card | {"attributes": ["Smiling"]}).encode())
    with pytest.raises(UserError, match="belongs to another network"):
        Classifier.load(tmp_path)


def test_a_folder_without_a_classifier_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no trained classifier"):
        Classifier.load(tmp_path / "nowhere")
