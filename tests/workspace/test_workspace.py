"""What every method works with: images and labels of the outputs, and stores that all runs share."""

import numpy as np
import pytest

from fairlab.classifiers import Recipe
from fairlab.core.errors import UserError
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.experiments.run import Run
from fairlab.workspace.source import SourceSettings
from fairlab.workspace.workspace import Workspace

COUNTS = (60, 40, 30)


def made(home, target="Smiling", protected=("Male",), **options):
    settings = SourceSettings(image_size=32, counts=COUNTS)
    source = SynthFacesSource(*COUNTS)
    given = {"target": target, "protected": protected, "recipe": Recipe(), "settings": settings} | options
    return Workspace(source, home=home, device="cpu", **given)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return made(tmp_path_factory.mktemp("work"))


def test_real_images_come_with_labels_of_the_outputs_and_groups_of_the_protected_attribute(work):
    for split, n in zip(("train", "valid", "test"), COUNTS, strict=True):
        data = work.real(split)
        assert data.images[np.arange(n)].shape == (n, 32, 32, 3)
        assert np.array_equal(data.labels[:, 0], work.data.label("Smiling", split))
        assert np.array_equal(data.groups, work.data.label("Male", split))
        assert np.array_equal(data.labels, work.labels(split))
        assert np.array_equal(data.groups, work.groups(split))
    assert data.inputs == {"data": work.data.fingerprint, "groups": "Male"}


def test_other_outputs_are_predicted_from_the_same_images_in_the_same_stores(work):
    other = work.predicting("Male", "Young")
    assert other.data is work.data
    assert other.store("latents") is work.store("latents")
    assert np.array_equal(other.labels("valid"), work.data.label_columns(("Male", "Young"), "valid"))
    assert (other.target, other.outputs, work.outputs) == ("Smiling", ("Male", "Young"), ("Smiling",))


def test_every_step_that_was_asked_for_is_known_once(work):
    def make(folder):
        (folder / "file").touch()

    step = work.store("classifiers").shared_step("some", make, config={})
    assert work.predicting("Male").store("classifiers").shared_step("some", make, config={}) == step
    assert work.used_steps() == {f"classifiers/{step.name}": step}


def test_nothing_is_drawn_before_it_is_asked_for_and_once_for_all(tmp_path):
    first = made(tmp_path)
    assert first.source.counts["train"] == COUNTS[0]
    assert not list(tmp_path.iterdir())
    images = first.images("test")
    (record,) = tmp_path.glob("prepared/*/prepared.json")
    stamp = record.stat().st_mtime_ns
    assert np.array_equal(made(tmp_path).images("test")[np.arange(5)], images[np.arange(5)])
    assert record.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"target": "Smilling"}, "did you mean 'Smiling'"),
        ({"protected": ("Male", "Yong")}, "did you mean 'Young'"),
    ],
)
def test_unknown_attributes_are_refused_at_once(tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        made(tmp_path, **changes)


def test_a_group_that_cannot_be_measured_is_refused_with_the_images_but_not_without(tmp_path):
    work = made(tmp_path, protected=("Young", "Male"), target="Mustache")  # no woman of CelebA has one
    assert len(work.prepare().label("Male", "test")) == COUNTS[2]
    with pytest.raises(UserError, match="of 'Mustache' among its"):
        work.images("test")


@pytest.mark.parametrize("name", ["a/b", "..", "/tmp"])
def test_a_run_s_name_is_that_of_a_folder(tmp_path, name):
    with pytest.raises(UserError, match="cannot name a run folder"):
        Run.of_preset("smoke", tmp_path, name=name)
    assert not list(tmp_path.iterdir())
