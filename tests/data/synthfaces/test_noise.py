"""Label noise: it keeps prevalences, hits borderline faces, and belongs to the face."""

import numpy as np
import pytest

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.law import observed_labels, sample_factors
from fairlab.data.synthfaces.noise import JITTER, LAPSES
from fairlab.data.synthfaces.statistics import MALE


@pytest.fixture(scope="module")
def faces():
    return sample_factors(60_000, seed=2)


@pytest.fixture(scope="module")
def flipped(faces):
    return observed_labels(faces, seed=0) != faces.truth


def test_prevalence_stays_in_each_gender(faces):
    labels = observed_labels(faces, seed=0)
    for gender in (0, 1):
        rows = faces.truth[:, MALE] == gender
        assert np.abs(labels[rows].mean(axis=0) - faces.truth[rows].mean(axis=0)).max() < 0.008


def test_inconsistent_attributes_are_the_noisiest_and_male_is_clean(flipped):
    share = dict(zip(ATTRIBUTES, flipped.mean(axis=0), strict=True))
    noisy = {name: share.pop(name) for name in JITTER}
    assert share.pop("Male") == 0
    assert min(noisy.values()) > LAPSES
    balanced = [name for name in noisy if name != "Pale_Skin"]  # a rare label has few to flip
    assert min(noisy[name] for name in balanced) > 2 * max(share.values())


@pytest.mark.parametrize("name", ["Big_Lips", "Straight_Hair", "Smiling"])
def test_borderline_faces_flip_more_often(faces, flipped, name):
    wrong = flipped[:, ATTRIBUTES.index(name)]
    strength = np.abs(faces.trait(name))
    order = np.argsort(strength)
    thirds = [wrong[part].mean() for part in np.array_split(order, 3)]
    assert thirds[0] > 1.5 * thirds[1]
    assert thirds[0] > 3 * thirds[2]


def test_noise_belongs_to_the_face(faces):
    labels = observed_labels(faces, seed=4)
    rows = np.random.default_rng(0).permutation(len(faces))[:500]
    assert np.array_equal(observed_labels(faces[rows], seed=4), labels[rows])
    assert (observed_labels(faces, seed=5) != labels).mean() > 0.01


def test_independence_survives_the_noise():
    associations = {("Big_Nose", "Male"): 0.0}
    faces = sample_factors(60_000, seed=0, associations=associations)
    labels = observed_labels(faces, seed=0, associations=associations).astype(float)
    nose = labels[:, ATTRIBUTES.index("Big_Nose")]
    assert abs(np.corrcoef(nose, labels[:, MALE])[0, 1]) < 0.017
    assert nose.mean() == pytest.approx(0.23555, abs=0.008)


def test_noise_of_different_attributes_is_independent(flipped):
    names = ["Big_Lips", "Oval_Face", "Straight_Hair"]
    columns = flipped[:, [ATTRIBUTES.index(name) for name in names]].T.astype(float)
    assert np.abs(np.corrcoef(columns) - np.eye(3)).max() < 0.03
