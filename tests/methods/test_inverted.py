"""Real images in the latent space: which ones, how well found, and that interruptions lose little."""

from types import SimpleNamespace

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.core.files import load_array
from fairlab.core.store import Store
from fairlab.experiments.run import Run
from fairlab.generators import generate

pytestmark = pytest.mark.slow


class Interrupted(Exception):
    """Stands for whatever ends a process in the middle."""


class Search:
    """A search that answers at once, by the brightness of an image, and may be interrupted."""

    def __init__(self, allowed=10**9):
        self.batches, self.allowed = [], allowed

    def __call__(self, generator, images, **options):
        if len(self.batches) == self.allowed:
            raise Interrupted
        self.batches.append(len(images))
        brightness = images.mean(axis=(1, 2, 3))
        return SimpleNamespace(z=np.outer(brightness, np.ones(512)) / 255, pixel_error=brightness)


@pytest.fixture
def run(smoke_home, request):
    """A run of 50 inverted images, in latents of its own for each test."""
    return Run.of_preset("smoke", smoke_home, name=request.node.name[:40], n_inverted=50)


@pytest.fixture(autouse=True)
def own_latents(monkeypatch, tmp_path):
    monkeypatch.setattr(Run, "latent_store", property(lambda run: Store(tmp_path / "latents", shared=True)))
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.CHUNK", 20)


def test_an_interrupted_search_goes_on_with_the_next_chunk(run, monkeypatch, tmp_path):
    first, second, whole = Search(allowed=2), Search(), Search()
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", first)
    with pytest.raises(Interrupted):
        run.inverted("train")
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", second)
    step = run.inverted("train")
    assert (first.batches, second.batches) == ([20, 20], [10])
    assert not list(step.folder.glob("part-*"))

    rows, images, z = (load_array(step.folder / f"{name}.npy") for name in ("rows", "images", "z"))
    assert len(set(rows)) == 50
    assert np.array_equal(images, run.images("train")[rows])
    again = whole(None, images)
    assert z.dtype == np.float32
    assert np.array_equal(z, again.z.astype(np.float32))
    error = load_array(step.folder / "pixel_error.npy")
    assert np.array_equal(error, again.pixel_error.astype(np.float32))


def test_a_finished_search_is_not_repeated_and_other_images_lie_beside(run, monkeypatch):
    search = Search()
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", search)
    train, valid = run.inverted("train"), run.inverted("valid")
    assert run.inverted("train").folder == train.folder
    assert search.batches == [20, 20, 10] * 2
    assert train.folder != valid.folder
    assert np.array_equal(load_array(valid.folder / "images.npy"), run.images("valid")[rows_of(valid)])


def rows_of(step):
    return load_array(step.folder / "rows.npy")


def test_images_are_drawn_at_random_from_the_whole_split(run, monkeypatch):
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", Search())
    rows = rows_of(run.inverted("train"))
    n = len(run.data.rows("train"))
    # Of 50 uniform draws, the chance that none falls into a given third is below 1e-8.
    assert rows.min() < n / 3
    assert rows.max() > 2 * n / 3


def test_more_images_than_there_are_is_one_sentence_and_of_validation_images_all_are_taken(
    smoke_home, monkeypatch
):
    many = Run.of_preset("smoke", smoke_home, name="too-many", n_inverted=3_001)
    with pytest.raises(UserError, match="asks for 3,001 images, but the train split has 3,000; invert fewer"):
        _ = many.data
    run = Run.of_preset("smoke", smoke_home, name="many", n_inverted=1_001)
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.invert", Search())
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.CHUNK", 500)
    assert np.array_equal(rows_of(run.inverted("valid")), np.arange(1_000))


def test_a_real_search_says_how_far_the_generated_image_is_off(smoke_home, monkeypatch):
    run = Run.of_preset("smoke", smoke_home, name="searched", n_inverted=24)
    monkeypatch.setattr("fairlab.methods.latent_pairs.inversion.STEPS", 3)
    step = run.inverted("valid")
    images, z = (load_array(step.folder / f"{name}.npy") for name in ("images", "z"))
    drawn = generate(run.generator, z, size=64, progress=False)
    off = np.sqrt(((drawn.astype(float) - images) ** 2).mean(axis=(1, 2, 3)))
    assert np.allclose(load_array(step.folder / "pixel_error.npy"), off, atol=0.5)  # levels are rounded
