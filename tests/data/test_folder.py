"""A folder of one's own images: pixels, tables, split, and what is said about mistakes."""

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.attributes import check_attribute
from fairlab.data.folder import FolderSource
from fairlab.data.folder_table import draw_split

Write = Callable[..., Path]


def table(header: str = "file,Smiling,Male", rows: Callable[[int], str] | None = None) -> str:
    row = rows or (lambda r: f"{r}.png,{r % 2},{r // 2 % 2}")
    return "\n".join([header, *map(row, range(10))])


def test_labels_and_pixels(image_folder: Write, tmp_path: Path):
    root = image_folder(table())
    data = FolderSource(root).prepare(tmp_path / "out", 16)
    assert data.images.shape == (10, 16, 16, 3)
    assert data.label("Smiling").tolist() == [0, 1] * 5
    wide = Image.open(root / "8.png")  # 80 x 60
    expected = np.asarray(wide.crop((10, 0, 70, 60)).resize((16, 16), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(data.images[8] - expected).max() <= 1


def one_image(root: Path, image: Image.Image, name: str, **options: object) -> np.ndarray:
    root.mkdir(exist_ok=True)
    image.save(root / name, **options)
    (root / "labels.csv").write_text(f"file,Smiling\n{name},1\n")
    data = FolderSource(root).prepare(root.parent / "out", 8)
    return data.images[0].astype(int)


def test_transparent_pixels_become_white(tmp_path: Path):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    assert (one_image(tmp_path / "in", image, "a.png") == 255).all()


@pytest.mark.parametrize(
    ("mode", "value"), [("L", 100), ("RGB", (100, 100, 100)), ("LA", (100, 255)), ("CMYK", None)]
)
def test_modes_become_rgb(tmp_path: Path, mode: str, value: object):
    image = Image.new("RGB", (30, 20), (100, 100, 100))
    image = image.convert(mode) if value is None else Image.new(mode, (30, 20), value)
    name = "a.tif" if mode == "CMYK" else "a.png"
    assert np.abs(one_image(tmp_path / "in", image, name) - 100).max() <= 1


def test_palette(tmp_path: Path):
    red = Image.new("RGB", (20, 20), (200, 0, 0)).convert("P")
    assert np.abs(one_image(tmp_path / "in", red, "a.gif") - [200, 0, 0]).max() <= 10


def test_sixteen_bit_grey_is_not_clipped(tmp_path: Path):
    grey = Image.fromarray(np.full((20, 20), 100 * 256 + 17, np.uint16))
    assert np.abs(one_image(tmp_path / "in", grey, "a.png") - 100).max() <= 1


def test_exif_rotation_is_applied(tmp_path: Path):
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:20] = 255  # the upper half is bright ...
    exif = Image.Exif()
    exif[0x0112] = 6  # ... and shall be turned clockwise: it comes to the right
    upright = one_image(tmp_path / "in", Image.fromarray(pixels), "a.jpg", exif=exif)
    assert upright[:, 5:].min() > 240
    assert upright[:, :3].max() < 15


def test_a_large_jpeg_keeps_its_detail(tmp_path: Path):
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    large = Image.fromarray(coarse).resize((1024, 1024), Image.Resampling.BICUBIC)
    expected = np.asarray(large.resize((8, 8), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(one_image(tmp_path / "in", large, "a.jpg", quality=95) - expected).max() <= 8


@pytest.mark.parametrize(
    "pair", [("0", "1"), ("-1", "1.0"), ("False", "TRUE"), ("no", "Yes"), ("n", "Y"), ("F", "t")]
)
def test_ways_to_write_a_label(image_folder: Write, pair: tuple[str, str]):
    root = image_folder(table("file, Smiling", lambda r: f"{r}.png, {pair[r % 2]}"))
    assert FolderSource(root).labels["Smiling"].tolist() == [0, 1] * 5


def test_split_as_given(image_folder: Write):
    names = ["train", "Train", "valid", "val", "TEST"]
    source = FolderSource(image_folder(table("file,Smiling,split", lambda r: f"{r}.png,1,{names[r % 5]}")))
    assert source.split.tolist() == ["train", "train", "valid", "valid", "test"] * 2
    assert source.attributes == ("Smiling",)
    assert source.counts == {"train": 4, "valid": 4, "test": 2}


def test_split_drawn(image_folder: Write):
    assert FolderSource(image_folder(table())).counts == {"train": 8, "valid": 1, "test": 1}


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200), st.randoms())
def test_a_drawn_split_keeps_identities_together_whatever_the_order(people: list[int], random: object):
    identity = pd.Series([f"person {number}" for number in people])
    split = pd.Series(draw_split(identity))
    assert split.groupby(identity).nunique().max() == 1
    order = list(range(len(people)))
    random.shuffle(order)
    assert draw_split(identity.iloc[order]).tolist() == split.iloc[order].tolist()


@pytest.mark.parametrize("count", [10, 100, 1000, 12_345])
def test_a_drawn_split_has_the_shares(count: int):
    split = draw_split(pd.Series([f"{row}.png" for row in range(count)]))
    for name, share in (("train", 0.8), ("valid", 0.1), ("test", 0.1)):
        assert abs((split == name).sum() - share * count) <= 1


def test_people_of_a_folder_are_kept(image_folder: Write, tmp_path: Path):
    text = table("file,Smiling,identity", lambda r: f"{r}.png,{r % 2},{'ann' if r < 3 else ''}")
    data = FolderSource(image_folder(text)).prepare(tmp_path / "prepared", 64)
    people = data.identity.tolist()
    assert people[:3] == ["ann"] * 3
    assert people[3:] == [f"{r}.png" for r in range(3, len(data))]


def test_identity_is_no_attribute_and_may_be_unknown(image_folder: Write):
    source = FolderSource(image_folder(table("file,Smiling,identity", lambda r: f"{r}.png,{r % 2},")))
    assert source.attributes == ("Smiling",)
    assert source.counts == {"train": 8, "valid": 1, "test": 1}


def test_images_in_sub_folders_and_a_table_elsewhere(image_folder: Write, tmp_path: Path):
    root = image_folder()
    (root / "sub").mkdir()
    (root / "3.png").rename(root / "sub" / "3.png")
    (tmp_path / "labels.csv").write_text("file,Smiling\nsub/3.png,1\n4.png,0\n")
    data = FolderSource(root, tmp_path / "labels.csv").prepare(tmp_path / "out", 8)
    assert list(data.labels.index) == ["sub/3.png", "4.png"]


def test_a_broken_image_is_left_out(image_folder: Write, tmp_path: Path):
    root = image_folder(table())
    (root / "4.png").write_bytes((root / "4.png").read_bytes()[:200])
    data = FolderSource(root).prepare(tmp_path / "out", 8)
    assert len(data) == 9


SAME = {
    "age and notes": lambda r: f"{r}.png,{r % 2},{r // 2 % 2},{20 + r},{'tired' if r == 3 else ''}",
    "a blank": lambda r: f"{r}.png,{r % 2},{r // 2 % 2},{1 if r else ''},x",
}


@pytest.mark.parametrize("what", SAME)
def test_columns_that_are_no_attributes_are_left_alone_and_told(image_folder: Write, what: str):
    root = image_folder(table())
    plain = FolderSource(root)
    (root / "labels.csv").write_text(table("file,Smiling,Male,age,notes", SAME[what]))
    source = FolderSource(root)
    assert source.fingerprint(16) == plain.fingerprint(16)
    assert plain.notes == ()
    (note,) = source.notes
    reason = (
        "holds '20' in row 1" if what == "age and notes" else "has no value in 1 of 10 rows, first in row 1"
    )
    assert f"'age' ({reason}), 'notes' (h" in note
    assert note.count("\n") == 0
    with pytest.raises(UserError, match=r"column 'age' ho?a?.* but an attribute is 0/1, .* correct"):
        check_attribute("age", source.attributes, source.left_out)


def test_a_table_of_fairface_is_read(image_folder: Write):
    rows = ["more than 70,Male,East Asian,True", "3-9,Female,Indian,False", "20-29,Female,Black,False"]
    source = FolderSource(
        image_folder(table("file,age,gender,race,service_test", lambda r: f"{r}.png,{rows[min(r, 2)]}"))
    )
    assert source.attributes == ("gender=Female", "gender=Male", "service_test")
    assert list(source.left_out) == ["age", "race"]
    assert source.labels["gender=Male"].tolist() == [1] + [0] * 9
    with pytest.raises(UserError, match=r"two texts.* name the attribute 'gender=Female' or 'gender=Male'"):
        check_attribute("gender", source.attributes)


WRITTEN = {
    "semicolons": {"sep": ";"},
    "an index": {"index": True},
    "UTF-16": {"encoding": "utf-16"},
    "quotes": {"quoting": csv.QUOTE_ALL},
}


@pytest.mark.parametrize("way", WRITTEN)
def test_the_same_table_written_in_another_way(image_folder: Write, way: str):
    root = image_folder(table())
    plain = FolderSource(root)
    written = pd.read_csv(root / "labels.csv")
    written.to_csv(root / "labels.csv", **({"index": False} | WRITTEN[way]))
    assert FolderSource(root).fingerprint(16) == plain.fingerprint(16)
    written.rename(columns={"file": "img"}).to_parquet(root / "labels.parquet")
    assert FolderSource(root, root / "labels.parquet").fingerprint(16) == plain.fingerprint(16)


NAMES = {
    "backslashes": lambda name: f"inner\\{name}",
    "capitals": lambda name: f"Inner/{name.replace('.png', '.PNG')}",
    "accents apart": lambda name: "inner/" + unicodedata.normalize("NFD", name),
    "the folder named twice": lambda name: f"mine/inner/{name}",
    "the folder below": lambda name: name,
    "this folder": lambda name: f"./inner/{name}",
}


@pytest.mark.parametrize("way", NAMES)
def test_files_are_found_under_names_of_other_systems(image_folder: Write, way: str):
    root = image_folder()
    (root / "inner").mkdir()
    for path in list(root.glob("*.png")):
        path.rename(root / "inner" / f"é{path.name}")
    (root / "labels.csv").write_text(table(rows=lambda r: f"inner/é{r}.png,{r % 2},0"))
    plain = FolderSource(root)
    lines = table(rows=lambda r: f"{NAMES[way](f'é{r}.png')},{r % 2},0")
    (root / "labels.csv").write_text(lines)
    source = FolderSource(root)
    assert list(source.labels.index) == list(plain.labels.index)
    assert source.read(3).read() == plain.read(3).read()


def test_a_file_of_another_folder_is_not_taken_for_one_of_the_same_name(image_folder: Write):
    root = image_folder(table(rows=lambda r: f"train/{r}.png,0,1"))
    for name in ("train", "val"):
        (root / name).mkdir()
    for path in list(root.glob("*.png")):
        path.rename(root / "val" / path.name)
    with pytest.raises(UserError, match=r"10 of the 10 files .* the first is 'train/0\.png'"):
        FolderSource(root)


MISTAKES = {
    "no csv": (None, r"has no CSV, but 10 pictures such as '0.png'; write one with a column 'file'"),
    "no file column": (
        table("picture,Smiling,Male", lambda r: f"{r},{r % 2},1"),
        r"no column 'file', nor a single other one .* \(it has picture, Smiling, Male\)",
    ),
    "two file columns": (table("a,b,Male", lambda r: f"{r}.png,{r}.png,1"), "no column 'file'"),
    "no file": (table(rows=lambda r: f"{r}.png,0,1" if r != 3 else ",0,1"), "names no image in row 4"),
    "twice under two names": (table(rows=lambda r: f"{r}.png,0,1" if r else "2.PNG,0,1"), "again in row 3"),
    "no attribute": (table("file", lambda r: f"{r}.png"), "has no attribute"),
    "text": (
        table("file,name", lambda r: f"{r}.png,Alice"),
        r"has no attribute; add one 0/1 column .*'name' \(holds 'Alice' in row 1\)",
    ),
    "number": (
        table("file,Smiling", lambda r: f"{r}.png,{r // 9 * 2}"),
        "no attribute; .*'Smiling' .holds '2' in row 10",
    ),
    "blank": (
        table("file,Smiling", lambda r: f"{r}.png,"),
        "'Smiling' .has no value in 10 of 10 rows, first in row 1",
    ),
    "short row": ("file,Smiling,Male\n0.png,1", "Row 1 of .* has 2 fields, but the header names 3"),
    "long rows": ("file,Smiling\n0.png,1,1", "Row 1 of .* has 3 fields, but the header names 2"),
    "long row": ("file,Smiling\n0.png,1\n1.png,1,1,1", "Row 2 of .* has 4 fields"),
    "mixed": (
        table("file,Smiling", lambda r: f"{r}.png,{r % 3 - 1}"),
        r"'Smiling' .is undecided .0 beside -1 and 1. in 3 of 10 rows, first in row 2",
    ),
    "missing files": (
        table(rows=lambda r: f"{r * 2}.png,0,1"),
        r"5 of the 10 files .* the first is '10\.png'",
    ),
    "twice": (table(rows=lambda r: "3.png,0,1"), r"names '3\.png' in two rows"),
    "split": (
        table("file,Smiling,split", lambda r: f"{r}.png,1,trian"),
        "split 'trian' in row 1; did you mean 'train'",
    ),
    "no rows": ("file,Smiling\n", "no rows below its header"),
    "empty": ("", "is empty; give a file with a header"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(image_folder: Write, mistake: str):
    written, message = MISTAKES[mistake]
    with pytest.raises(UserError, match=message) as caught:
        FolderSource(image_folder(written))
    assert "\n" not in str(caught.value)


def test_several_tables(image_folder: Write):
    root = image_folder(table())
    (root / "more.csv").write_text("file\n")
    with pytest.raises(UserError, match=r"2 CSV files \(labels\.csv, more\.csv\)"):
        FolderSource(root)
    assert len(FolderSource(root, root / "labels.csv").labels) == 10


def test_no_such_folder_or_table(tmp_path: Path, image_folder: Write):
    with pytest.raises(UserError, match="does not exist; name the folder"):
        FolderSource(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is no file; give a CSV"):
        FolderSource(image_folder(), tmp_path / "nowhere.csv")
