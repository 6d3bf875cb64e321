"""Pictures of more than 8 bits keep their range; missing ones are looked for by name."""

import re
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.folder import FolderSource
from fairlab.data.pixels import deep_pixels

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
        ("tif", np.float32, 1.0001, 0.25),  # a hair beyond, after resampling
        ("tif", np.float32, 1.5, 0.375),
        ("png", np.uint16, 4, 1),
    ],
)
def test_deep_pixels_are_scaled_by_the_range_of_the_set(tmp_path, ending, kind, bright, dark):
    pictures = {f"a.{ending}": grey(bright, kind), f"b.{ending}": grey(dark, kind)}
    root = folder(tmp_path / "in", pictures)
    assert prepared(root) == pytest.approx([255, 64], abs=1)
    assert "2 of 2 pictures have more than 8 bits a channel" in " ".join(FolderSource(root).notes)


def colour_png(path: Path, values: np.ndarray) -> None:
    """Write colours of 16 bits a channel, (h, w, 3 or 4), which Pillow does not write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize("ending", ["png", "jpg"])  # a name may be wrong
@pytest.mark.parametrize(("white", "middle"), [(65_535, 32_768), (4_095, 2_048)])
def test_deep_colours_are_scaled_too(tmp_path, white, middle, ending):
    names = [f"{each}.{ending}" for each in ("white", "middle", "clear")]
    root = folder(tmp_path, {}, names)
    colour_png(root / names[0], np.full((20, 20, 3), white))
    colour_png(root / names[1], np.full((20, 20, 3), middle))
    colour_png(root / names[2], np.dstack([np.full((20, 20, 3), middle), np.zeros((20, 20))]))
    source = FolderSource(root)
    pixels = source.decode(range(3), SIZE)[0].mean(axis=(1, 2, 3))
    assert pixels == pytest.approx([255, 128, 255], abs=1)  # what is transparent lies on white
    assert len(source.deep) == 3


def test_colours_of_a_tiff_keep_their_low_bytes(tmp_path):
    values = np.random.default_rng(0).integers(0, 65_536, (5, 7, 3))
    for order, letters in (("<", b"II*\0"), (">", b"MM\0*")):
        data = values.astype(f"{order}u2").tobytes()
        tags = [(256, 7), (257, 5), (258, 8 + len(data)), (259, 1), (262, 2), (273, 8), (277, 3), (278, 5)]
        written = (
            letters
            + struct.pack(f"{order}I", 8 + len(data) + 6)
            + data
            + struct.pack(f"{order}3H", *[16] * 3)
        )
        written += struct.pack(f"{order}H", len(tags) + 1)
        for tag, value in [*tags, (279, len(data))]:
            kind, count = (4, 1) if tag in (273, 279) else (3, 3 if tag == 258 else 1)
            short = kind == 3 and count == 1
            form = f"{order}HHIHH" if short else f"{order}HHII"
            written += struct.pack(form, tag, kind, count, value, *([0] if short else []))
        file = BytesIO(written + struct.pack(f"{order}I", 0))
        np.testing.assert_array_equal(deep_pixels(Image.open(file), file), values)


def test_turned_deep_pictures_are_turned(tmp_path):
    values = np.zeros((20, 40), np.uint16)
    values[:10] = 65_535  # the upper half is bright, and comes to the right
    exif = Image.Exif()
    exif[0x0112] = 6
    root = folder(tmp_path, {}, ["a.png", "b.png", "c.png"])
    for name in "abc":
        Image.fromarray(values).save(root / f"{name}.png", exif=exif)
    upright = FolderSource(root).decode(range(1), SIZE)[0][0]
    assert upright[:, 5:].min() > 240
    assert upright[:, :3].max() < 15


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
    with pytest.raises(
        UserError, match=r"a\.tif has pixels (of|that) .* save the pictures with values of 0 to 1"
    ):
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


def test_other_pictures_of_the_same_sizes_are_prepared_anew(tmp_path):
    """All bitmaps of one shape have one size, so sizes alone would take old pixels for new ones."""
    first = FolderSource(folder(tmp_path / "in", {"a.bmp": grey(10, np.uint8)})).fingerprint(SIZE)
    assert FolderSource(tmp_path / "in").fingerprint(SIZE) == first
    folder(tmp_path / "in", {"a.bmp": grey(200, np.uint8)})
    assert FolderSource(tmp_path / "in").fingerprint(SIZE) != first


@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_the_only_table_is_found_whatever_its_kind_and_one_folder_below(tmp_path, ending):
    root = folder(tmp_path / "above" / "in", {"a.png": grey(9, np.uint8)})
    (root / "._labels.csv").write_bytes(b"\0")  # macOS leaves such files on other disks
    plain = FolderSource(root).fingerprint(SIZE)
    assert FolderSource(root.parent).fingerprint(SIZE) == plain
    table = pd.read_csv(root / "labels.csv")
    (root / "labels.csv").unlink()
    if ending == "tsv":
        table.to_csv(root / "labels.tsv", sep="\t", index=False)
    else:
        table.to_parquet(root / "labels.parquet")
    assert FolderSource(root.parent).fingerprint(SIZE) == plain


def test_a_workbook_is_named_where_there_is_no_csv(tmp_path):
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"has no CSV, but labels\.xlsx; save the table in it as 'CSV UTF-8'"):
        FolderSource(tmp_path)


@pytest.mark.parametrize("name", ["/home/ann/in/a.png", "C:\\pictures\\In\\a.png"])
def test_full_paths_of_another_computer_are_found_through_the_folders_name(tmp_path, name):
    root = folder(tmp_path / "in", {"a.png": grey(9, np.uint8)}, [name])
    assert list(FolderSource(root).labels.index) == ["a.png"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\0\0\x18ftypheic" + bytes(20), "HEIC is not read; save it as JPEG or PNG"),
        (b"", "an empty file"),
        (b"some text", "no image that can be read, such as JPEG or PNG"),
    ],
)
def test_why_a_file_is_no_image(tmp_path, content, reason):
    root = folder(tmp_path, {"a.png": grey(9, np.uint8)}, ["a.png", "b.png"])
    (root / "b.png").write_bytes(content)
    assert FolderSource(root).decode(range(2), SIZE)[1] == {1: reason}
