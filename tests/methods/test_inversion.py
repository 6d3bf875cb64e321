"""Real images in the latent space: which ones, how well found, and that interruptions lose little."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.core.files import load_array
from fairlab.generators import generate
from fairlab.latent import Hyperplane
from fairlab.methods import Pairs
from fairlab.methods.latent_pairs.inversion import invert_images

from .toys import COUNTS, shapes, small

INVERT = "fairlab.generators.invert"


class Interrupted(Exception):
    """Stands for whatever ends a process in the middle."""


class Search:
    """A search that answers at once, by colours of an image, and may be interrupted."""

    def __init__(self, allowed=10**9):
        self.batches, self.allowed = [], allowed

    def __call__(self, generator, images, **options):
        if len(self.batches) == self.allowed:
            raise Interrupted
        self.batches.append(len(images))
        z = images.reshape(len(images), -1)[:, :8] / 64 - 1
        return SimpleNamespace(z=z, pixel_error=images.mean(axis=(1, 2, 3)))


@pytest.fixture
def search(monkeypatch):
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.CHUNK", 20)
    search = Search()
    monkeypatch.setattr(INVERT, search)
    return search


@pytest.fixture
def work(tmp_path):
    return shapes(tmp_path)


def found(step, *names):
    return [load_array(step.folder / f"{name}.npy") for name in names]


def test_an_interrupted_search_goes_on_with_the_next_chunk(work, search, monkeypatch):
    first = Search(allowed=2)
    with monkeypatch.context() as patch:
        patch.setattr(INVERT, first)
        with pytest.raises(Interrupted):
            invert_images(work, "train", 50)
    step = invert_images(work, "train", 50)
    assert (first.batches, search.batches) == ([20, 20], [10])
    assert not list(step.folder.glob("part-*"))

    rows, images, z, error = found(step, "rows", "images", "z", "pixel_error")
    assert len(set(rows)) == 50
    assert np.array_equal(images, work.images("train")[rows])
    again = Search()(None, images)
    assert z.dtype == np.float32
    assert np.array_equal(z, again.z.astype(np.float32))
    assert np.array_equal(error, again.pixel_error.astype(np.float32))


def test_a_finished_search_is_not_repeated_and_other_images_lie_beside(work, search):
    train, valid = invert_images(work, "train", 50), invert_images(work, "valid", 50)
    assert invert_images(work, "train", 50).folder == train.folder
    assert search.batches == [20, 20, 10] * 2
    assert train.folder != valid.folder
    rows, images = found(valid, "rows", "images")
    assert np.array_equal(images, work.images("valid")[rows])


def test_images_are_drawn_at_random_from_the_whole_split(work, search):
    (rows,) = found(invert_images(work, "train", 50), "rows")
    # Of 50 uniform draws, the chance that none falls into a given third is below 1e-8.
    assert rows.min() < COUNTS["train"] / 3
    assert rows.max() > 2 * COUNTS["train"] / 3


def test_more_images_than_there_are_is_one_sentence_and_of_validation_images_all_are_taken(work, search):
    with pytest.raises(UserError, match="asks for 129 images, but the train split has 128; invert fewer"):
        small("latent_pairs", n_inverted=129).check(work)
    small("latent_pairs", n_inverted=128).check(work)
    (rows,) = found(invert_images(work, "valid", 128), "rows")
    assert np.array_equal(rows, np.arange(COUNTS["valid"]))


def test_a_real_search_says_how_far_the_generated_image_is_off(work, monkeypatch):
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.STEPS", 3)
    images, z, error = found(invert_images(work, "valid", 24), "images", "z", "pixel_error")
    drawn = generate(work.generator, z, size=16, progress=False)
    off = np.sqrt(((drawn.astype(float) - images) ** 2).mean(axis=(1, 2, 3)))
    assert np.allclose(error, off, atol=0.5)  # levels are rounded


def test_inverted_validation_images_join_the_fit_and_partners_are_those_of_training_images(work, search):
    pairs = Pairs(small("latent_pairs", n_inverted=26), work, 0)
    inverted, fitted = invert_images(work, "valid", 26), pairs.method.fit_rows
    rows, z = found(inverted, "rows", "z")
    for role, plane in pairs.planes.items():
        known = work.data.label({"target": "Square", "protected": "Red"}[role], "valid")[rows]
        y = np.concatenate([pairs.all_labels[role][fitted], known])
        assert (plane.n_positive, plane.n_negative) == (y.sum(), (1 - y).sum())
        again = Hyperplane.fit(np.concatenate([pairs.all_z[fitted], z]), y)
        assert again.cosine(plane) == pytest.approx(1)

    train = invert_images(work, "train", 26)
    rows, images, z = found(train, "rows", "images", "z")
    assert np.array_equal(pairs.z, z)
    assert np.array_equal(pairs.images, images)
    assert np.array_equal(pairs.labels, work.data.label("Square", "train")[rows])
    before, after = (pairs.planes["protected"].distance(x) for x in (z, *found(pairs.partners, "z")))
    np.testing.assert_allclose(after, -before, atol=1e-4)
