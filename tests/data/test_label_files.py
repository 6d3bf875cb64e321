"""Label files of every format, and pickles that try to run code."""

from __future__ import annotations

import collections
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.data.label_files import align, read_labels, read_plain_pickle

IMSITU = [{"gender": i % 2, "verb": i % 3, "image_name": f"{i}.jpg"} for i in range(12)]
COCO = [{"objects": [i % 2, 1, 0], "gender": [1, 0] if i % 3 else [0, 1], "image_id": i} for i in range(12)]


def write(path: Path, content: object, protocol: int = 0) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_read(tmp_path, protocol):
    imsitu = read_labels(write(tmp_path / "train.data", IMSITU, protocol))
    assert imsitu.labels.tolist() == [0, 1, 2] * 4
    assert imsitu.protected.tolist() == [0, 1] * 6
    assert (imsitu.groups, imsitu.kind, len(imsitu.names)) == (("man", "woman"), "imSitu", 3)
    coco = read_labels(write(tmp_path / "val.data", COCO, protocol))
    assert coco.labels.tolist() == [[i % 2, 1, 0] for i in range(12)]
    assert coco.protected.tolist() == [1, 0, 0] * 4
    assert coco.kind == "COCO"


def test_python_2_pickles_are_read(tmp_path):
    path = tmp_path / "train.data"
    path.write_bytes(b"(lp0\n(dp1\nS'gender'\np2\nI1\nsS'verb'\np3\nI5\nsS'image_name'\np4\nVa.jpg\np5\nsa.")
    assert read_labels(path).labels.tolist() == [5]
    ids = tmp_path / "x.ids"
    ids.write_bytes(b"c__builtin__\nset\np0\n((lp1\nI2\naI0\natp2\nRp3\n.")
    assert read_plain_pickle(ids) == {0, 2}


@pytest.mark.parametrize("ids", [[7, 2], {7, 2}, frozenset({7, 2})])
def test_ids_choose_rows_in_rising_order(tmp_path, ids):
    table = read_labels(write(tmp_path / "a.data", IMSITU), ids=write(tmp_path / "a.ids", ids))
    assert table.labels.tolist() == [2, 1]
    assert len(table) == 2


@pytest.mark.parametrize("ids", [[12], [-1], [], [0.5], [True], {"a": 1}, "01", 3])
def test_ids_that_are_no_row_numbers_end_in_a_sentence(tmp_path, ids):
    with pytest.raises(UserError, match="row numbers from 0 to 11"):
        read_labels(write(tmp_path / "a.data", IMSITU), ids=write(tmp_path / "a.ids", ids))


class Hostile:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_runs_code_is_refused_and_runs_none(tmp_path, protocol):
    path = write(tmp_path / "a.data", [{"gender": Hostile(tmp_path / "owned")}], protocol)
    with pytest.raises(UserError, match=r"refused.*mkdir"):
        read_labels(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "content", [np.zeros(3), collections.OrderedDict(a=1), Path("a"), eval, getattr, bytearray(b"a")]
)
def test_every_class_but_sets_is_refused(tmp_path, content):
    with pytest.raises(UserError, match="refused"):
        read_labels(write(tmp_path / "a.data", content))


@pytest.mark.parametrize(
    "code", [b"cbuiltins\nset.__class__\n.", b"c__builtin__\neval\n(S'1'\ntR.", b"cos\nsystem\n(S'true'\ntR."]
)
def test_tricks_by_name_are_refused(tmp_path, code):
    path = tmp_path / "a.data"
    path.write_bytes(code)
    with pytest.raises(UserError, match="refused"):
        read_labels(path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x80\x04", b"(lp0\n(dp1\nS'gen", b"c__builtin__\nset\n)R}b."]
)
def test_damaged_pickles_end_in_a_sentence(tmp_path, content):
    path = tmp_path / "a.data"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.data"):
        read_labels(path)


@pytest.mark.parametrize(
    "records",
    [
        [],
        3,
        {"verb": 1},
        ["verb"],
        [{"verb": 1}],
        [{"gender": 2, "verb": 1}],
        [{"gender": 0, "verb": -1}],
        [{"gender": 0, "verb": 10**12}],
        [{"gender": 0, "verb": "cooking"}],
        [{"gender": [1, 1], "objects": [0, 1]}],
        [{"gender": [1, 0], "objects": [0, 2]}],
        [{"gender": [1, 0], "objects": [0]}, {"gender": [1, 0], "objects": [0, 1]}],
        [{"gender": {}, "objects": [0, 1]}],
    ],
)
def test_pickles_of_something_else_end_in_a_sentence(tmp_path, records):
    with pytest.raises(UserError, match="neither imSitu's nor COCO's"):
        read_labels(write(tmp_path / "a.data", records))


TABLE = "file,gender,age,Smiling,Young\n" + "".join(
    f"{i}.jpg,{('Female', 'Male')[i % 2]},{('young', 'old')[i // 2 % 2]},"
    f"{i % 2},{('no', 'Yes')[i // 4 % 2]}\n"
    for i in range(12)
)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text(TABLE)
    return path


def test_csv_of_binary_columns_and_of_one_categorical(csv):
    table = read_labels(csv, protected="gender")
    assert table.names == ("Smiling", "Young")
    assert table.groups == ("Female", "Male")
    assert table.labels[:5].tolist() == [[0, 0], [1, 0], [0, 0], [1, 0], [0, 1]]
    assert table.protected.tolist() == [0, 1] * 6
    ages = read_labels(csv, protected="gender", labels=["age"])
    assert ages.names == ("old", "young")
    assert ages.labels.tolist() == [1, 1, 0, 0] * 3
    assert read_labels(csv, protected="Smiling", labels=["Young"]).groups == ("not Smiling", "Smiling")


def test_parquet_reads_as_csv_does(csv):
    path = csv.with_suffix(".parquet")
    pd.read_csv(csv).assign(Smiling=lambda t: t["Smiling"].astype(float)).to_parquet(path)
    for labels in (None, ["age"]):
        ours, other = (read_labels(p, protected="gender", labels=labels) for p in (csv, path))
        assert (ours.labels == other.labels).all()
        assert ours.names == other.names
        assert (ours.protected == other.protected).all()


def test_celeba_text_is_read(celeba_root):
    table = read_labels(celeba_root() / "list_attr_celeba.txt", protected="Male")
    assert table.names == ("Smiling", "Young")
    assert table.labels[:4].tolist() == [[0, 0], [1, 0], [0, 0], [1, 0]]
    assert table.protected[:4].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "--protected NAME"),
        ({"protected": "Gender"}, "did you mean 'gender'"),
        ({"protected": "file"}, "must have two values"),
        ({"protected": "gender", "labels": ["Smilin"]}, "did you mean 'Smiling'"),
        ({"protected": "gender", "labels": ["gender"]}, "cannot be a label too"),
        ({"protected": "gender", "labels": ["file"]}, "12 values in 12 rows"),
    ],
)
def test_columns_that_do_not_fit_end_in_a_sentence(csv, options, words):
    with pytest.raises(UserError, match=words):
        read_labels(csv, **options)


def test_files_that_do_not_fit_end_in_a_sentence(tmp_path, csv):
    with pytest.raises(UserError, match="There is no file"):
        read_labels(tmp_path / "absent.csv", protected="a")
    with pytest.raises(UserError, match="no columns to choose from"):
        read_labels(write(tmp_path / "a.data", IMSITU), protected="gender")
    for name, content in {
        "a.csv": b"",
        "b.csv": b"x,y\n",
        "c.parquet": b"no",
        "d.csv": b"\xff\xfe\x00",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name):
            read_labels(tmp_path / name, protected="x")
    csv.write_text(TABLE.replace("Female", "", 1))
    with pytest.raises(UserError, match=r"'gender' of .* has no value in 1 of 12 rows, first in row 1"):
        read_labels(csv, protected="gender")
    csv.write_text(TABLE.replace(",Smiling,Young", ",a,b").replace(",1,", ",7,").replace("Yes", "?"))
    with pytest.raises(
        UserError,
        match=r"no binary label column beside 'gender'; .*left alone: 'age' .holds 'young' in row 1",
    ):
        read_labels(csv, protected="gender")


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "NA", "N/A", "None", "null"])
def test_rows_without_a_label_are_left_out_with_a_count_however_missing_is_written(csv, missing):
    rows = TABLE.splitlines()
    third = rows[3].split(",")
    place = rows[0].split(",").index("Smiling")
    third[place] = missing
    csv.write_text("\n".join([*rows[:3], ",".join(third), *rows[4:]]))
    table = read_labels(csv, protected="gender")
    assert table.names == ("Smiling", "Young")  # neither vanishes
    assert len(table) == 11
    assert table.numbers.tolist() == [0, 1, *range(3, 12)]
    assert (
        "1 of 12 rows are left out, the first of them row 3: they have no value of 'Smiling' in 1."
        in table.notes
    )


def test_columns_that_are_no_labels_are_named_with_their_first_row(csv):
    (note,) = read_labels(csv, protected="gender").notes
    assert note.endswith("no labels of two values are left alone: 'age' (holds 'young' in row 1).")
    assert read_labels(csv, protected="gender", labels=["Smiling"]).notes == ()


def test_several_columns_of_categories_become_a_column_for_each(csv):
    table = read_labels(csv, protected="gender", labels=["age", "Smiling"])
    assert table.names == ("age=old", "age=young", "Smiling")
    assert (table.labels[:, 0] + table.labels[:, 1] == 1).all()
    assert table.labels[:, 2].tolist() == read_labels(csv, protected="gender").labels[:, 0].tolist()
    other = csv.with_name("other.csv")
    other.write_text(TABLE.replace("young", "middle"))
    one, two = align([table, read_labels(other, protected="gender", labels=["age", "Smiling"])])
    assert one.names == two.names == ("age=old", "age=young", "Smiling", "age=middle")
    assert one.labels[:, 3].sum() == two.labels[:, 1].sum() == 0


def test_row_numbers_count_the_rows_of_the_file(csv, tmp_path):
    ids = write(tmp_path / "rows.ids", [2, 5, 11])
    csv.write_text(TABLE.replace("gender", "gender", 1))
    table = read_labels(csv, protected="gender", ids=ids, id_column="file")
    assert table.numbers.tolist() == [2, 5, 11]
    assert len(table.ids) == 3


def test_classes_are_numbered_alike_in_all_tables(tmp_path, csv):
    other = tmp_path / "test.csv"
    other.write_text(TABLE.replace("young", "middle").replace("old", "young"))
    train, test = align([read_labels(p, protected="gender", labels=["age"]) for p in (csv, other)])
    assert train.names == test.names == ("old", "young", "middle")
    assert test.labels.tolist() == [2, 2, 1, 1] * 3
    with pytest.raises(UserError, match="do not go together"):
        align([train, read_labels(csv, protected="gender")])
    with pytest.raises(UserError, match="different label columns"):
        align([read_labels(csv, protected="gender", labels=[name]) for name in ("Smiling", "Young")])


def test_published_label_files_have_their_published_sizes():
    folder = os.environ.get("FAIRLAB_SHARED_DATA", "")
    if not folder or not (Path(folder) / "imsitu").is_dir():
        pytest.skip("FAIRLAB_SHARED_DATA does not name a folder with imsitu and coco")
    imsitu = read_labels(Path(folder) / "imsitu" / "train.data")
    assert np.bincount(imsitu.protected).tolist() == [14_199, 10_102]
    assert len(imsitu.names) == 211
    coco = read_labels(Path(folder) / "coco" / "val.data", ids=Path(folder) / "coco" / "val_ratio_3.ids")
    assert coco.labels.shape == (4072, 79)
