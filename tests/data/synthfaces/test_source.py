"""SynthFaces as a source: prepared once, resumable, with the truth at hand, and in CelebA's layout."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.facedata import FaceData
from fairlab.data.synthfaces import source as module
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.source import SynthFacesSource

from .celeba_format import write_celeba_format


@pytest.fixture
def source():
    return SynthFacesSource(130, 20, 30, seed=3, associations={("Smiling", "Male"): 0.4})


def test_prepared_folder_holds_the_drawn_faces_and_their_labels(source, tmp_path):
    data = source.prepare(tmp_path / "faces", 32)
    assert [len(data.rows(name)) for name in ("train", "valid", "test")] == [130, 20, 30]
    assert data.attributes == ATTRIBUTES
    assert data.fingerprint == source.fingerprint(32) != source.fingerprint(64)
    assert np.abs(data.images - draw(source.factors(), 32).astype(int)).max() <= 1
    faces = source.factors("valid")
    labels = source.labels(faces).to_numpy()
    assert np.array_equal(data.labels.iloc[data.rows("valid")].to_numpy(), labels)
    assert 0 < (labels != faces.truth).mean() < 0.1


def test_a_killed_preparation_goes_on_with_the_same_result(source, tmp_path, monkeypatch):
    whole = source.prepare(tmp_path / "whole", 32)
    drawn = []

    def draw_then_stop(faces, size):
        if drawn:
            raise KeyboardInterrupt
        drawn.append(len(faces))
        return draw(faces, size)

    with monkeypatch.context() as patch:
        patch.setattr("fairlab.data.synthfaces.draw.draw", draw_then_stop)
        with pytest.raises(KeyboardInterrupt):
            source.prepare(tmp_path / "killed", 32)
    assert not (tmp_path / "killed").exists()
    again = source.prepare(tmp_path / "killed", 32)
    assert np.abs(again.images.astype(int) - whole.images).max() <= 1
    assert again.labels.equals(whole.labels)


def test_opening_a_folder_gives_the_source_and_its_truth_back(source, tmp_path):
    source.prepare(tmp_path / "faces", 32)
    reopened = SynthFacesSource.open(tmp_path / "faces")
    assert reopened == source
    assert np.array_equal(reopened.factors("test").traits, source.factors("test").traits)


def test_a_folder_drawn_by_other_code_is_refused(source, tmp_path, monkeypatch):
    source.prepare(tmp_path / "faces", 32)
    monkeypatch.setattr(module, "_code", lambda: b"another drawing")
    with pytest.raises(UserError, match="another version"):
        SynthFacesSource.open(tmp_path / "faces")


def test_a_larger_split_begins_with_the_smaller_one():
    small, large = SynthFacesSource(10, 5, 5), SynthFacesSource(20, 9, 5)
    for split in ("train", "valid", "test"):
        n = small.counts[split]
        assert np.array_equal(large.factors(split)[:n].traits, small.factors(split).traits)
    together = large.factors()
    assert np.array_equal(together[20:29].traits, large.factors("valid").traits)


@pytest.mark.parametrize("numbers", [(0, 0, 0, 0), (-1, 5, 5, 0), (5, 5, 5, -1)])
def test_impossible_numbers_are_one_sentence(numbers):
    with pytest.raises(UserError, match="cannot draw"):
        SynthFacesSource(*numbers)


def test_impossible_associations_fail_before_anything_is_drawn():
    with pytest.raises(UserError, match="cannot be reached"):
        SynthFacesSource(5, 5, 5, associations={("Bald", "Male"): 0.9})


def test_celebas_layout(source, tmp_path):
    root = write_celeba_format(source, tmp_path / "celeba")
    lines = (root / "list_attr_celeba.txt").read_text().splitlines()
    assert lines[0] == "180"
    assert lines[1].split() == list(ATTRIBUTES)
    table = pd.DataFrame([line.split() for line in lines[2:]]).set_index(0).astype(int)
    assert np.array_equal(table.to_numpy(), 2 * source.labels(source.factors()).to_numpy().astype(int) - 1)
    parts = [line.split() for line in (root / "list_eval_partition.txt").read_text().splitlines()]
    assert parts[129:131] == [["000130.jpg", "0"], ["000131.jpg", "1"]]
    with Image.open(root / "img_align_celeba" / "000001.jpg") as image:
        assert (image.size, image.mode) == ((178, 218), "RGB")
        face = np.asarray(image)[121 - 64 : 121 + 64, 89 - 64 : 89 + 64].astype(int)
    assert np.abs(face - draw(source.factors("train")[:1], 128)[0]).mean() < 6


def test_celebas_layout_is_read_by_the_celeba_loader(tmp_path):
    celeba = pytest.importorskip("fairlab.data.celeba")
    source = SynthFacesSource(12, 4, 4)
    root = write_celeba_format(source, tmp_path / "celeba")
    data: FaceData = celeba.CelebASource(root).prepare(tmp_path / "faces", 128)
    assert list(data.split) == ["train"] * 12 + ["valid"] * 4 + ["test"] * 4
    assert np.array_equal(
        data.labels[list(ATTRIBUTES)].to_numpy(), source.labels(source.factors()).to_numpy()
    )
    assert np.abs(data.images.astype(int) - draw(source.factors(), 128)).mean() < 6
