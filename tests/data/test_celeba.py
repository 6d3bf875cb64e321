"""CelebA in every layout, and what is said when it is not CelebA."""

import csv
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.core.files import read_json
from fairlab.data.attributes import check_attribute
from fairlab.data.celeba import CelebASource
from fairlab.data.celeba_tables import read_attribute_table
from fairlab.data.facedata import FaceData

Write = Callable[..., Path]
COUNT = 24
TRUTHS = {-1: False, 1: True}
SPLIT_WORDS = {0: "train", 1: "val", 2: "test"}


def prepared(root: Path, size: int = 64) -> FaceData:
    return CelebASource(root).prepare(root.parent / f"prepared-{size}", size)


def as_csv(root: Path, absent: str = "-1") -> None:
    """Turn the published annotations into Kaggle's."""
    _, header, *rows = (root / "list_attr_celeba.txt").read_text().splitlines()
    lines = ["image_id," + ",".join(header.split())]
    lines += [",".join(row.split()).replace("-1", absent) for row in rows]
    (root / "list_attr_celeba.csv").write_text("\n".join(lines))
    partition = (root / "list_eval_partition.txt").read_text().replace(" ", ",")
    (root / "list_eval_partition.csv").write_text("image_id,partition\n" + partition)
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (root / name).unlink()


def as_zip(root: Path) -> None:
    with zipfile.ZipFile(root / "img_align_celeba.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / "img_align_celeba").iterdir()):
            archive.write(path, f"img_align_celeba/{path.name}")
    shutil.rmtree(root / "img_align_celeba")


def nested(root: Path) -> None:
    (root / "img_align_celeba").rename(root / "inner")
    (root / "img_align_celeba").mkdir()
    (root / "inner").rename(root / "img_align_celeba" / "img_align_celeba")


def in_published_folders(root: Path) -> None:
    for sub, name in (
        ("Img", "img_align_celeba"),
        ("Anno", "list_attr_celeba.txt"),
        ("Eval", "list_eval_partition.txt"),
    ):
        (root / sub).mkdir()
        (root / name).rename(root / sub / name)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def test_labels_split_and_order_as_published(celeba_root: Write):
    data = prepared(celeba_root(COUNT))
    assert data.attributes == ("Smiling", "Male", "Young")
    assert data.label("Smiling").tolist() == [row & 1 for row in range(COUNT)]
    assert data.label("Young").tolist() == [row >> 2 & 1 for row in range(COUNT)]
    assert data.split.tolist() == ["train"] * 8 + ["valid"] * 8 + ["test"] * 8
    assert data.labels.index[0] == "000001.jpg"


@pytest.mark.parametrize("size", [32, 64, 128])
def test_pixels_are_the_published_window_resized_by_pillow(celeba_root: Write, size: int):
    root = celeba_root(8)
    data = prepared(root, size)
    for row, name in enumerate(data.labels.index):
        picture = Image.open(root / "img_align_celeba" / name).crop((25, 57, 153, 185))
        expected = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR)).astype(int)
        assert np.abs(data.images[row] - expected).max() <= 1


def saved_again(root: Path, change: Callable[[pd.DataFrame], pd.DataFrame], **options: object) -> None:
    """Turn the annotations into Kaggle's, and save both once more by pandas."""
    as_csv(root)
    for name in ("list_attr_celeba.csv", "list_eval_partition.csv"):
        table = change(pd.read_csv(root / name))
        table.to_csv(root / name, **({"index": False} | options))


def merged(table: pd.DataFrame) -> pd.DataFrame:
    """Return attributes with what else people merge into them."""
    return table.assign(age=range(len(table)), partition=0, note="") if "Male" in table else table


def one_folder_up(root: Path) -> None:
    """Put everything into root/celeba, as torchvision wants it."""
    (root / "celeba").mkdir()
    for path in list(root.iterdir()):
        if path.name != "celeba":
            path.rename(root / "celeba" / path.name)


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "csv": as_csv,
    "csv with 0/1": lambda root: as_csv(root, absent="0"),
    "zip": as_zip,
    "nested": nested,
    "published folders": in_published_folders,
    "csv with an index": lambda root: saved_again(root, lambda table: table, index=True),
    "csv with quotes": lambda root: saved_again(root, lambda table: table, quoting=csv.QUOTE_ALL),
    "csv with semicolons": lambda root: saved_again(root, lambda table: table, sep=";"),
    "csv in UTF-16": lambda root: saved_again(root, lambda table: table, encoding="utf-16"),
    "csv with another name": lambda root: saved_again(root, lambda t: t.rename(columns={"image_id": "img"})),
    "csv with the names last": lambda root: saved_again(
        root, lambda table: table[[*table.columns[1:], table.columns[0]]]
    ),
    "csv of floats": lambda root: saved_again(
        root, lambda t: t.set_index("image_id").astype(float), index=True
    ),
    "csv of truths": lambda root: saved_again(root, lambda t: t.replace(TRUTHS) if "Male" in t else t),
    "csv with splits in words": lambda root: saved_again(
        root, lambda t: t.replace({"partition": SPLIT_WORDS})
    ),
    "merged csv": lambda root: saved_again(root, merged),
    "torchvision's root": one_folder_up,
    "torchvision's root, csv": lambda root: (as_csv(root), one_folder_up(root))[0],
    "nested csv": lambda root: (as_csv(root), nested(root))[0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_data(celeba_root: Write, layout: str):
    root = celeba_root(COUNT)
    published = prepared(root)
    LAYOUTS[layout](root)
    source = CelebASource(root)
    assert source.fingerprint(64) == published.fingerprint
    data = source.prepare(root.parent / "again", 64)
    np.testing.assert_array_equal(data.images, published.images)
    assert data.labels.equals(published.labels)


def test_line_ends_do_not_matter(celeba_root: Write):
    root = celeba_root(COUNT, end="\r\n")
    with_crlf = CelebASource(root).fingerprint(64)
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt"):
        (root / name).write_bytes((root / name).read_bytes().replace(b"\r\n", b"\n"))
    assert CelebASource(root).fingerprint(64) == with_crlf


def test_fingerprint_knows_size_labels_and_images(celeba_root: Write):
    root = celeba_root(COUNT)
    seen = {CelebASource(root).fingerprint(size) for size in (32, 64)}
    edit(root / "list_attr_celeba.txt", "000003.jpg -1", "000003.jpg  1")
    seen.add(CelebASource(root).fingerprint(64))
    with open(root / "img_align_celeba" / "000005.jpg", "ab") as stream:
        stream.write(b"\0")
    seen.add(CelebASource(root).fingerprint(64))
    (root / "img_align_celeba" / "000006.jpg").unlink()
    seen.add(CelebASource(root).fingerprint(64))
    assert len(seen) == 5


def test_rows_without_an_image_are_left_out_and_counted(celeba_root: Write):
    root = celeba_root(COUNT)
    for number in (1, 10):
        (root / "img_align_celeba" / f"{number:06d}.jpg").unlink()
    source = CelebASource(root)
    assert source.without_image == 2
    assert source.counts == {"train": 7, "valid": 7, "test": 8}
    data = prepared(root)
    assert len(data) == 22
    assert read_json(root.parent / "prepared-64" / "prepared.json")["settings"]["rows_without_image"] == 2


def test_images_without_a_row_are_ignored(celeba_root: Write):
    root = celeba_root(COUNT)
    lines = (root / "list_attr_celeba.txt").read_text().splitlines()
    (root / "list_attr_celeba.txt").write_text("\n".join(lines[:12]))
    assert len(prepared(root)) == 10


@pytest.mark.parametrize("damage", ["truncated", "text", "empty", "size"])
def test_a_broken_image_is_listed_with_its_reason(celeba_root: Write, damage: str):
    root = celeba_root(COUNT)
    path = root / "img_align_celeba" / "000004.jpg"
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-2000])
    elif damage == "size":
        Image.new("RGB", (100, 100)).save(path)
    else:
        path.write_bytes(b"no image" if damage == "text" else b"")
    data = prepared(root)
    assert len(data) == COUNT - 1
    assert "000004.jpg" not in data.labels.index
    (broken,) = read_json(root.parent / "prepared-64" / "prepared.json")["broken"]
    assert broken["file"] == "000004.jpg"
    assert {"truncated": "truncated", "size": "100x100 pixels"}.get(damage, "cannot identify") in broken[
        "reason"
    ]


def test_a_damaged_entry_of_a_zip_is_listed(celeba_root: Write):
    root = celeba_root(COUNT)
    as_zip(root)
    path = root / "img_align_celeba.zip"
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("img_align_celeba/000002.jpg").header_offset
    data[start + 500 : start + 600] = bytes(100)
    path.write_bytes(data)
    assert len(prepared(root)) == COUNT - 1


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def write(name: str, text: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda root: (root / name).write_text(text, encoding) and None


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda root: edit(root / name, old, new)


ATTRIBUTES, PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"

CSV_MISTAKES = {
    "no file column": (
        "list_attr_celeba.csv",
        "image_id",
        "x",
        ".jpg",
        "",
        "no column 'image_id', nor .* name",
    ),
    "partition": (
        "list_eval_partition.csv",
        "",
        "",
        "000002.jpg,0",
        "000002.jpg,3",
        "'3' in row 2, .* 0, 1, 2",
    ),
    "name": ("list_attr_celeba.csv", "Male", "Smiling", "", "", "names an attribute, 'Smiling', twice"),
    "twice": (
        "list_attr_celeba.csv",
        "",
        "",
        "000003.jpg",
        "000004.jpg",
        "two rows for 000004.jpg; delete one",
    ),
}


@pytest.mark.parametrize("mistake", CSV_MISTAKES)
def test_a_mistake_in_a_csv_is_one_sentence(celeba_root: Write, mistake: str):
    root = celeba_root(COUNT)
    as_csv(root)
    file, old_name, new_name, old, new, message = CSV_MISTAKES[mistake]
    header, rows = (root / file).read_text().split("\n", 1)
    (root / file).write_text(f"{header.replace(old_name, new_name)}\n{rows.replace(old, new)}")
    with pytest.raises(UserError, match=message) as caught:
        CelebASource(root)
    assert "\n" not in str(caught.value)


def test_two_ways_to_write_absent_in_one_csv(celeba_root: Write):
    root = celeba_root(COUNT)
    saved_again(root, lambda table: table.replace({"Male": {-1: 0}}))
    with pytest.raises(UserError, match="mixes -1 and 0; write either"):
        CelebASource(root)


def test_what_is_no_attribute_is_left_alone_and_told(celeba_root: Write):
    root = celeba_root(COUNT)
    as_csv(root)
    edit(root / "list_attr_celeba.csv", "000003.jpg,-1", "000003.jpg,2")
    source = CelebASource(root)
    assert source.attributes == ("Male", "Young")
    assert "'Smiling' (holds '2' in row 3)" in source.notes[0]
    with pytest.raises(UserError, match=r"'Smiling' holds '2' in row 3, but .* correct"):
        check_attribute("Smiling", source.attributes, source.left_out)


def test_two_folders_of_celeba_below_the_root(celeba_root: Write):
    root = celeba_root(COUNT)
    one_folder_up(root)
    shutil.copytree(root / "celeba", root / "again")
    with pytest.raises(UserError, match=r"several CelebA folders \(again, celeba\); point to one"):
        CelebASource(root)


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_a_0_beside_minus_1_and_1_is_undecided(tmp_path: Path, suffix: str):
    rows = [("1.jpg", -1, 1, 1), ("2.jpg", 0, -1, 0), ("3.jpg", 1, 1, 1)]
    separator, head = (
        (" ", "Smiling Male Young") if suffix == ".txt" else (",", "image_id,Smiling,Male,Young")
    )
    path = tmp_path / f"list_attr_celeba{suffix}"
    path.write_text("\n".join([head, *(separator.join(map(str, row)) for row in rows)]))
    labels, left_out = read_attribute_table(path)
    assert labels.to_dict("list") == {"Male": [1, 0, 1]}
    assert left_out == {
        "Smiling": "is undecided (0 beside -1 and 1) in 1 of 3 rows, first in row 2",
        "Young": "holds 0 in row 2, undecided as beside -1 and 1 in other columns",
    }
    path.write_text(path.read_text().replace("2.jpg 0", "2.jpg 1").replace("2.jpg,0", "2.jpg,1"))
    with pytest.raises(UserError, match="mixes -1 and 0; write either"):
        read_attribute_table(path)


MISTAKES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no root": (shutil.rmtree, r"does not exist; fetch img_align_celeba\.zip, list_attr_celeba\.txt and"),
    "no attributes": (remove(ATTRIBUTES), "has no list_attr_celeba.*it holds img_align_celeba.*fetch"),
    "no partition": (remove(PARTITION), r"has no list_eval_partition\.txt or .*fetch"),
    "no images": (lambda root: shutil.rmtree(root / "img_align_celeba"), "no images in img_align_celeba"),
    "short row": (replace(ATTRIBUTES, "000003.jpg -1", "000003.jpg"), "line 5: .* has 2 values, not 3"),
    "long row": (replace(ATTRIBUTES, "000003.jpg", "000003.jpg 1"), "line 5: .* has 4 values, not 3"),
    "cut name": (replace(ATTRIBUTES, "Smiling ", ""), "line 3: .* has 3 values, not 2"),
    "value 2": (replace(ATTRIBUTES, "000003.jpg -1", "000003.jpg 2"), "line 5: the value '2' for 000003.jpg"),
    "value text": (replace(ATTRIBUTES, "000003.jpg -1", "000003.jpg no"), "line 5: the value 'no'"),
    "row twice": (replace(ATTRIBUTES, "000003.jpg", "000004.jpg"), "two rows for 000004.jpg"),
    "name twice": (replace(ATTRIBUTES, "Smiling Male", "Male Male"), "twice in its header"),
    "empty": (write(ATTRIBUTES, ""), "no rows below its header"),
    "not text": (write(ATTRIBUTES, "\xff", "latin-1"), "not readable as text"),
    "partition 3": (replace(PARTITION, "000002.jpg 0", "000002.jpg 3"), "line 2: the value '3' .* 0, 1, 2"),
    "partition short": (replace(PARTITION, "000002.jpg 0", "000002.jpg"), "line 2: .* has 0 values, not 1"),
    "partition misses": (replace(PARTITION, "000002.jpg 0\r\n", ""), "no row for .* such as 000002.jpg"),
    "other names": (lambda root: [path.rename(path.with_suffix(".jpeg")) for path in
                    (root / "img_align_celeba").iterdir()] and None, "holds none of the 24 images"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(celeba_root: Write, mistake: str):
    root = celeba_root(COUNT)
    spoil, message = MISTAKES[mistake]
    spoil(root)
    with pytest.raises(UserError, match=message) as caught:
        CelebASource(root)
    assert "\n" not in str(caught.value)


def test_root_that_is_the_image_folder(celeba_root: Write):
    root = celeba_root(COUNT)
    with pytest.raises(UserError, match=f"point to the folder with the annotations, {root}"):
        CelebASource(root / "img_align_celeba")


def test_root_that_is_something_else(tmp_path: Path):
    (tmp_path / "train_labels.csv").write_text(
        "file,age,gender,race,service_test\ntrain/1.jpg,50-59,Male,x,True\n"
    )
    with pytest.raises(UserError, match="it holds train_labels"):
        CelebASource(tmp_path)
    with pytest.raises(UserError, match="is a file, not a folder"):
        CelebASource(tmp_path / "train_labels.csv")


def test_a_zip_that_is_cut_short(celeba_root: Write):
    root = celeba_root(COUNT)
    as_zip(root)
    path = root / "img_align_celeba.zip"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"img_align_celeba\.zip is not a readable zip"):
        CelebASource(root)


def test_people_are_known_where_the_file_of_identities_is(celeba_root: Write, tmp_path: Path):
    root = celeba_root()
    alone = CelebASource(root)
    assert alone.identity is None
    rows = [f"{file} {number % 5}" for number, file in enumerate(alone.labels.index) if number]
    (root / "identity_CelebA.txt").write_text("\n".join(rows))
    source = CelebASource(root)
    assert source.fingerprint(64) != alone.fingerprint(64)
    data = source.prepare(tmp_path / "prepared", 64)
    train = data.people("train")
    assert train[0] == "000001.jpg"  # of whom the file says nothing
    assert train[1:4].tolist() == ["1", "2", "3"]
    (root / "identity_CelebA.txt").write_text("000001.jpg 1 2\n")
    with pytest.raises(UserError, match=r"000001\.jpg has 2 values, not 1"):
        CelebASource(root)
