"""The oracle: what it was counted right about, that it can be trained again, and damaged files."""

import shutil

import numpy as np
import pytest

from fairlab.classifiers import Recipe
from fairlab.core.errors import UserError
from fairlab.core.files import weights_folder
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.law import sample_factors, sample_independent_factors
from fairlab.workspace.reader import READER_FILE, SHIPPED, AttributeReader, shipped_oracle, train_oracle

# Of fewer than 8 channels oneDNN 3 (torch 2.14) writes beyond its memory on processors with AVX2 alone.
TINY = Recipe(backbone="resnet10", width=8, epochs=1, batch_size=32, resize=32, crop=32)


def test_the_shipped_oracle_is_as_accurate_as_its_record_says():
    faces = sample_factors(600, seed=31, stream="test")
    oracle = shipped_oracle("cpu")
    seen = oracle.labels(draw(faces, 64), progress=False)
    assert oracle.classifier.attributes == ATTRIBUTES
    accuracy = (seen == faces.truth).mean(axis=0)
    stated = np.array([count / n for count, n in (oracle.right[name] for name in ATTRIBUTES)])
    assert np.abs(accuracy - stated).max() < 0.07  # four standard errors of 600 faces
    assert accuracy.mean() == pytest.approx(stated.mean(), abs=0.01)
    assert min(oracle.right["Male"][0], oracle.right["Eyeglasses"][0]) > 0.97 * oracle.right["Male"][1]


def test_the_shipped_oracle_sees_a_counterfactual_change_and_nothing_else():
    """Blond men are rare in CelebA: an oracle that had learnt the bias would take them for women."""
    faces = sample_factors(400, seed=32, stream="test").with_attribute("Blond_Hair", True)
    male, oracle = ATTRIBUTES.index("Male"), shipped_oracle("cpu")
    for present in (True, False):
        seen = oracle.labels(draw(faces.with_attribute("Male", present), 64), progress=False)
        assert (seen[:, male] == present).mean() > 0.9


def test_features_are_what_the_head_reads():
    oracle = shipped_oracle("cpu")
    images = draw(sample_factors(5, seed=33, stream="test"), 64)
    features = oracle.features(images, progress=False)
    assert features.shape == (5, 8 * oracle.classifier.recipe.width)
    assert not np.allclose(features[0], features[1])


def test_a_trained_oracle_is_loaded_as_it_was(tmp_path):
    trained = train_oracle(tmp_path, recipe=TINY, counts=(120, 60, 40), device="cpu")
    loaded = AttributeReader.load(tmp_path, "cpu")
    images = draw(sample_factors(6, seed=34, stream="test"), 64)
    np.testing.assert_array_equal(loaded.labels(images, False), trained.labels(images, False))
    assert loaded.right == trained.right
    assert all(n == 40 for _, n in loaded.right.values())


def test_weights_that_are_not_the_record_s_are_refused(tmp_path):
    shutil.copytree(weights_folder() / SHIPPED, tmp_path / "oracle")
    weights = tmp_path / "oracle" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
    with pytest.raises(UserError, match=f"not what {READER_FILE} describes"):
        AttributeReader.load(tmp_path / "oracle")


def test_independent_faces_have_no_associations_and_no_rare_attributes():
    truth = sample_independent_factors(20_000, seed=1, stream="train").truth
    correlation = np.corrcoef(truth.T) - np.eye(len(ATTRIBUTES))
    assert np.abs(correlation).max() < 0.03
    share = dict(zip(ATTRIBUTES, truth.mean(axis=0), strict=True))
    assert share["Male"] == pytest.approx(0.5, abs=0.02)
    assert share["Wearing_Hat"] == pytest.approx(0.048, abs=0.01)
    assert all(
        0.15 < value < 0.85 for name, value in share.items() if name not in ("Bald", "Blurry", "Wearing_Hat")
    )


def test_a_longer_independent_draw_begins_with_the_shorter_one():
    short, long = (sample_independent_factors(n, seed=2, stream="valid") for n in (5, 9))
    np.testing.assert_array_equal(short.traits, long.traits[:5])
    np.testing.assert_array_equal(short.nuisance, long.nuisance[:5])
