"""Pictures of more than 8 bits keep their range; missing ones are looked for by name."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.folder import FolderSource

SIZE = 8


def folder(root: Path, pictures: dict[str, np.ndarray | Image.Image], names: list[str] | None = None) -> Path:
    """Write pictures and a table; a row for each name, by default for each picture."""
    root.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        image.save(root / name)
    rows = [f"{name},{row % 2}" for row, name in enumerate(names or pictures)]
    (root / "labels.csv").write_text("\n".join(["file,Smiling", *rows]) + "\n")
    return root


def prepared(root: Path) -> list[float]:
    """Return the mean grey level of each prepared picture."""
    return FolderSource(root).prepare(root.parent / "out", SIZE).images.mean(axis=(1, 2, 3)).tolist()


def grey(value: float, kind: type) -> np.ndarray:
    return np.full((20, 20), value, kind)


@pytest.mark.parametrize(
    ("ending", "kind", "bright", "dark"),
    [
        ("tif", np.float32, 1.0, 0.25),
        ("tif", np.float32, 255.0, 63.75),
        ("tif", np.int32, 65_535, 16_384),
        ("tif", np.uint16, 4_095, 1_024),
        ("png", np.uint16, 4_095, 1_024),
        ("png", np.uint16, 65_535, 16_384),
        ("tif", np.int32, 255, 64),
    ],
)
def test_deep_pixels_are_scaled_by_the_range_of_the_set(tmp_path, ending, kind, bright, dark):
    pictures = {f"a.{ending}": grey(bright, kind), f"b.{ending}": grey(dark, kind)}
    root = folder(tmp_path / "in", pictures)
    assert prepared(root) == pytest.approx([255, 64], abs=1)
    assert "2 of 2 pictures have grey levels of more than 8 bits" in " ".join(FolderSource(root).notes)


def test_pictures_of_8_bits_beside_deep_ones_stay_as_they_are(tmp_path):
    pictures = {
        "deep.png": grey(2_048, np.uint16),
        "usual.png": grey(100, np.uint8),
        "usual.jpg": grey(100, np.uint8),
    }
    root = folder(tmp_path / "in", pictures)
    assert prepared(root) == pytest.approx([2_048 / 4_095 * 255, 100, 100], abs=1.5)


def test_only_a_set_with_deep_pictures_has_another_fingerprint(tmp_path, monkeypatch):
    usual = FolderSource(folder(tmp_path / "usual", {"a.png": grey(9, np.uint8)}))
    deep = FolderSource(folder(tmp_path / "deep", {"a.png": grey(9, np.uint16)}))
    before = usual.fingerprint(SIZE), deep.fingerprint(SIZE)
    for source in (usual, deep):
        monkeypatch.setattr(source, "deep", [])
    after = usual.fingerprint(SIZE), deep.fingerprint(SIZE)
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False]


@pytest.mark.parametrize("value", [-1.0, 1e6, np.nan])
def test_values_whose_brightness_nobody_knows_are_refused(tmp_path, value):
    root = folder(tmp_path / "in", {"a.tif": grey(value, np.float32), "b.tif": grey(0.5, np.float32)})
    with pytest.raises(UserError, match=r"pixels of .* save the pictures with values of 0 to 1"):
        prepared(root)


def test_a_broken_deep_picture_is_listed_and_the_rest_is_prepared(tmp_path):
    root = folder(
        tmp_path / "in",
        {f"{name}.tif": grey(value, np.float32) for name, value in {"a": 1, "b": 0.5}.items()},
    )
    good = (root / "b.tif").read_bytes()
    (root / "b.tif").write_bytes(good[: len(good) // 2])
    data = FolderSource(root).prepare(tmp_path / "out", SIZE)
    assert len(data.images) == 1
    assert data.images.min() == 255


def test_a_missing_picture_names_the_one_most_like_it(tmp_path):
    root = folder(tmp_path / "in", {"img_0012.png": grey(1, np.uint8)}, ["img_0021.png"])
    with pytest.raises(UserError, match=re.escape("'img_0021.png' (did you mean 'img_0012.png'?)")):
        FolderSource(root)


def test_names_without_an_ending_are_found_unless_two_fit(tmp_path):
    pictures = {"0001.png": grey(50, np.uint8), "0002.png": grey(60, np.uint8)}
    root = folder(tmp_path / "in", pictures, ["0001", "0002"])
    assert prepared(root) == pytest.approx([50, 60])
    Image.fromarray(grey(1, np.uint8)).save(root / "0002.jpg")
    with pytest.raises(UserError, match="1 of the 2 files"):
        FolderSource(root)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "has no CSV, and no pictures either; write one"),
        (["b.png", "a.png"], "has no CSV, but 2 pictures such as 'a.png'; write one"),
        (
            ["25_0_1_20170116174525125.jpg"],
            "named like UTKFace's, whose labels are in the names: age_gender_race_date",
        ),
    ],
)
def test_a_folder_without_a_table_is_told_what_was_found(tmp_path, names, sentence):
    for name in names:
        Image.fromarray(grey(1, np.uint8)).save(tmp_path / name)
    with pytest.raises(UserError, match=re.escape(sentence)):
        FolderSource(tmp_path)
