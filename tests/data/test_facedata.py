"""FaceData: views, group checks, and the integrity of what it opens."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import DamagedError, UserError
from fairlab.data import FaceData
from fairlab.data.facedata import IMAGES, LABELS, MANIFEST
from fairlab.data.plan import Plan
from fairlab.data.prepare import prepare

TARGET = [1, 0, 1, 0, 1, 0, 0, 0]
PROTECTED = [0, 0, 1, 1, 0, 0, 1, 1]
SPLIT = ["train"] * 4 + ["valid"] * 4


def faces() -> FaceData:
    labels = pd.DataFrame({"Smiling": TARGET, "Male": PROTECTED}, dtype=np.uint8)
    images = np.zeros((8, 4, 4, 3), np.uint8)
    return FaceData(images, labels, np.array(SPLIT), "folder", "made up")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = faces()
    labels = data.labels.set_axis([f"{row}.png" for row in range(8)])
    plan = Plan("folder", "made up", 4, labels, data.split, {})
    prepare(tmp_path / "prepared", plan, lambda rows: (np.full((len(rows), 4, 4, 3), 7, np.uint8), {}))
    return tmp_path / "prepared"


def test_whose_picture_each_image_is_stays_with_the_images_that_could_be_read(tmp_path: Path):
    data, people = faces(), np.array(["ann", "ann", "bo", "bo", "cy", "dee", "dee", "dee"])
    labels = data.labels.set_axis([f"{row}.png" for row in range(8)])
    plan = Plan("folder", "made up", 4, labels, data.split, {}, people)
    pixels = np.zeros((8, 4, 4, 3), np.uint8)
    prepared = prepare(tmp_path / "prepared", plan, lambda rows: (pixels[: len(rows)], {5: "torn"}))
    assert prepared.people("valid").tolist() == ["cy", "dee", "dee"]
    assert prepared.attributes == ("Smiling", "Male")
    assert data.people("valid") is None


def test_rows_and_labels_of_a_split():
    data = faces()
    assert data.rows("valid").tolist() == [4, 5, 6, 7]
    assert data.label("Male", "valid").tolist() == [0, 0, 1, 1]
    assert data.label("Smiling").dtype == np.uint8
    assert (len(data), data.size, data.attributes) == (8, 4, ("Smiling", "Male"))


def test_a_contiguous_split_is_a_view_and_a_scattered_one_is_right_too():
    data = faces()
    data.images[:] = np.arange(8)[:, None, None, None]
    assert np.shares_memory(data.split_images("train"), data.images)
    scattered = FaceData(data.images, data.labels, np.array(["train", "test"] * 4), "folder", "made up")
    assert scattered.split_images("test")[:, 0, 0, 0].tolist() == [1, 3, 5, 7]


def test_group_counts():
    counts = faces().group_counts("Smiling", "Male", "valid")
    assert counts.loc[0].to_dict() == {"negatives": 1, "positives": 1}
    assert counts.loc[1].to_dict() == {"negatives": 2, "positives": 0}


def test_a_group_without_positives_is_named_with_split_and_count():
    with pytest.raises(UserError, match=r"valid split has 0 positives of 'Smiling' among its 2 .*Male=1"):
        faces().require_groups("Smiling", "Male", splits=("train", "valid"))
    faces().require_groups("Smiling", "Male", splits=("train",))


def test_target_equal_to_protected():
    with pytest.raises(UserError, match="both 'Male'"):
        faces().require_groups("Male", "Male")


@pytest.mark.parametrize(("call", "hint"), [("label", "'Smiling'"), ("rows", "'train'")])
def test_misspelt_names_are_met_with_the_nearest(call: str, hint: str):
    misspelt = {"label": "smilling", "rows": "trian"}[call]
    with pytest.raises(UserError, match=f"did you mean {hint}"):
        getattr(faces(), call)(misspelt)


def test_open_maps_pixels_and_keeps_labels(folder: Path):
    data = FaceData.open(folder)
    assert isinstance(data.images, np.memmap)
    assert (data.images == 7).all()
    assert data.label("Smiling").tolist() == TARGET
    assert data.split.tolist() == SPLIT
    assert data.labels.index[3] == "3.png"


def test_open_of_a_folder_that_is_not_prepared(tmp_path: Path):
    with pytest.raises(UserError, match="not a prepared data folder"):
        FaceData.open(tmp_path)


@pytest.mark.parametrize("file", [IMAGES, LABELS])
@pytest.mark.parametrize("damage", ["missing", "short", "other"])
def test_damaged_files_are_one_sentence(folder: Path, file: str, damage: str):
    path = folder / file
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-50] if damage == "short" else b"something else")
    with pytest.raises(UserError, match=rf"damaged \({file}.*prepare again"):
        FaceData.open(folder)


def without_checksums(folder: Path) -> dict:
    """Make of a folder one of an earlier version; return its manifest."""
    manifest = json.loads((folder / MANIFEST).read_text())
    for name in ("checksum", "checksums"):
        del manifest[name]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return manifest


@pytest.mark.parametrize("file", [IMAGES, LABELS, MANIFEST])
def test_one_flipped_bit_is_noticed(folder: Path, file: str):
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(DamagedError, match="damaged"):
        FaceData.open(folder)


def test_a_folder_of_an_earlier_version_is_read(folder: Path):
    without_checksums(folder)
    assert len(FaceData.open(folder)) == 8


def test_counts_that_disagree(folder: Path):
    manifest = without_checksums(folder)
    manifest["counts"]["images"] = 9
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="9 images announced, 8 stored"):
        FaceData.open(folder)


def test_manifest_of_something_else(folder: Path):
    (folder / MANIFEST).write_text("[]")
    with pytest.raises(UserError, match="damaged"):
        FaceData.open(folder)


def test_labels_without_split(folder: Path):
    without_checksums(folder)
    pd.read_parquet(folder / LABELS).drop(columns="split").to_parquet(folder / LABELS)
    with pytest.raises(UserError, match="no valid split"):
        FaceData.open(folder)


def test_arrays_that_do_not_fit_cannot_be_combined():
    data = faces()
    with pytest.raises(ValueError, match="7 images"):
        FaceData(data.images[:7], data.labels, data.split, "folder", "made up")


def test_the_prepared_folder_holds_nothing_else(folder: Path):
    assert sorted(path.name for path in folder.iterdir()) == sorted([IMAGES, LABELS, MANIFEST])
    shutil.rmtree(folder)
