"""Splits and repeats of a folder's images: spelled, missing, drawn, and who or what is in two of them."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.core.files import read_json
from fairlab.data.folder import FolderSource
from fairlab.data.repeats import joined, repeated_pictures, shared_people
from fairlab.data.sources import open_source
from fairlab.data.splits import draw_split, is_split, read_shares
from fairlab.experiments.presets import default_name, preset
from fairlab.workspace.source import SourceSettings, data_notes
from tests.data.conftest import made_up_image

Write = Callable[..., Path]


def written(root: Path, column: str, values: Iterable[object], seeds: Iterable[int] | None = None) -> Path:
    """Write tiny pictures, one for each value, and their table with two labels and a column."""
    root.mkdir(exist_ok=True)
    values = list(values)
    for row, seed in enumerate(range(len(values)) if seeds is None else seeds):
        made_up_image(seed, 8, 8).save(root / f"{row}.png")
    lines = [f"{row}.png,{row % 2},{row // 2 % 2},{value}" for row, value in enumerate(values)]
    (root / "labels.csv").write_text("\n".join([f"file,a,b,{column}", *lines]) + "\n")
    return root


GIVEN = ["train", "train", "train", "test"] * 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (GIVEN, r"no rows for valid \(it has 9 for train, 3 for test\); .* --split 80/10/10"),
        (["train", "val"] * 6, r"no rows for test \(it has 6 for train, 6 for valid\)"),
        (["test"] * 12, r"no rows for train and valid \(it has 12 for test\)"),
        (["0", "1"] * 6, "no rows for test"),  # may be a flag of test images
        (["train", "val", "test", "eval"] * 3, "has the split 'eval' in row 4; "),
        (["1", "2", "3"] * 4, "has the split '3' in row 3; choose one of train, valid, test"),
        (["train", "val", "test", ""] * 3, "no value in 3 of 12 rows, first in row 4; .* --split 80/10/10"),
    ],
)
def test_a_split_that_cannot_be_used_is_one_sentence(tmp_path: Path, words: list[str], message: str):
    with pytest.raises(UserError, match=message) as caught:
        open_source("folder", written(tmp_path / "in", "split", words))
    assert "\n" not in str(caught.value)


def test_a_given_split_is_drawn_anew_on_request(tmp_path: Path):
    root = written(tmp_path / "in", "split", GIVEN)
    anew = open_source("folder", root, split="50/25/25")
    assert anew.counts == {"train": 6, "valid": 3, "test": 3}
    assert anew.notes == (f"The split given in {root / 'labels.csv'} is not used: --split draws another.",)
    (root / "labels.csv").write_text((root / "labels.csv").read_text().replace("split", "other"))
    without = open_source("folder", root, split="50/25/25", table=root / "labels.csv")
    assert without.split.tolist() == anew.split.tolist()


SPELLED = ["Train", "training", "VAL", "dev", "Validation", "testing", "test"]


def test_spellings(tmp_path: Path):
    expected = ["train"] * 2 + ["valid"] * 3 + ["test"] * 2
    for number, column in enumerate(["split", "Split", "subset"]):
        root = written(tmp_path / str(number), column, SPELLED)
        assert FolderSource(root).split.tolist() == expected
        assert FolderSource(root).attributes == ("a", "b")
    assert FolderSource(root).notes == (f"The column 'subset' of {root / 'labels.csv'} is the split.",)


def test_numbers_are_told(tmp_path: Path):
    source = FolderSource(written(tmp_path / "in", "split", ["0", "1.0", "2"] * 2))
    assert source.split.tolist() == ["train", "valid", "test"] * 2
    assert source.notes[0].endswith("is read as 0 train, 1 valid, 2 test.")


def test_which_columns_look_like_a_split():
    assert is_split(pd.Series(["Train", "test"]))
    for others in (["train", "train"], ["train", "bus"], ["0", "1"], ["train", ""]):
        assert not is_split(pd.Series(others))


def test_two_columns_that_look_like_a_split(tmp_path: Path):
    root = written(tmp_path / "in", "fold1,fold2", ["train,test", "test,val", "val,train"])
    with pytest.raises(UserError, match=r"look like a split \(fold1, fold2\); name the right one 'split'"):
        FolderSource(root)


@pytest.mark.parametrize("text", ["80/10", "80/10/20", "80/20/0", "0.8/0.1/0.1", "a/b/c", "-80/90/90", "",
                                  "nan/50/50", "80-10-10", "inf/1/1"])  # fmt: skip
def test_shares_are_checked(text: str):
    with pytest.raises(UserError, match=r"give per cents of train, valid and test, each above 0 and 100"):
        read_shares(text)


@given(st.lists(st.integers(0, 6), min_size=3, max_size=40), st.integers(1, 98), st.integers(1, 98))
def test_three_groups_fill_three_splits(numbers: list[int], train: int, valid: int):
    shares = read_shares(f"{train}/{valid}/{100 - train - valid}") if train + valid < 100 else (80, 10, 10)
    groups = pd.Series([f"group {number}" for number in numbers])
    split = pd.Series(draw_split(groups, shares))
    assert split.groupby(groups).nunique().max() == 1
    assert split.nunique() == 3 or groups.nunique() < 3


def test_of_few_groups_the_largest_is_trained_on():
    groups = pd.Series(["big"] * 36 + ["left", "right"] * 2)
    split = draw_split(groups)
    assert split[:36].tolist() == ["train"] * 36
    assert set(split[36:]) == {"valid", "test"}


def test_images_of_one_session_stay_together(tmp_path: Path):
    sessions = [f"s{row // 3}" for row in range(30)]
    people = [f"{session},p{row % 2}" for row, session in enumerate(sessions)]
    root = written(tmp_path / "in", "session,identity", people)
    source = open_source("folder", root, split_by="Session")
    split = pd.Series(source.split)
    assert split.groupby(sessions).nunique().max() == 1
    assert source.counts == {"train": 24, "valid": 3, "test": 3}
    (note,) = source.notes
    assert note.startswith("2 of 2 persons are in train and in test")
    assert source.split.tolist() != FolderSource(root).split.tolist()
    assert source.fingerprint(8) != FolderSource(root).fingerprint(8)


def test_images_without_a_session_are_told(tmp_path: Path):
    root = written(tmp_path / "in", "session", ["", *(f"s{row}" for row in range(8)), ""])
    notes = open_source("folder", root, split_by="session").notes
    assert notes[0].endswith(
        "no value in 2 of 10 rows, first in row 1: each of these images is split on its own."
    )


@pytest.mark.parametrize(
    ("column", "values", "options", "message"),
    [
        (
            "session",
            "abcdef",
            {"split_by": "sesion"},
            "no column 'sesion' to split by; did you mean 'session'",
        ),
        ("session", [""] * 6, {"split_by": "session"}, "'session' .* has no value to split by"),
        ("camera", "aabb", {"split_by": "camera"}, "makes fewer than three parts"),
        ("identity", "aaaa", {}, "makes fewer than three parts"),
        ("identity", "aabbcc", {}, r"test images of .* are of one person \('.'\), .* --split 25/25/50"),
        ("split", SPELLED, {"split_by": "a"}, r"has a split, so none is drawn by 'a'; add --split 80/10/10"),
        ("split", SPELLED, {"split_by": "split", "split": "80/10/10"}, "no column 'split' to split by"),
        ("x,x", ["1,2"] * 6, {"split_by": "x"}, "several columns 'x'"),
    ],
)
def test_what_cannot_be_split_by(
    tmp_path: Path, column: str, values: Iterable[str], options: dict[str, str], message: str
):
    with pytest.raises(UserError, match=message):
        open_source("folder", written(tmp_path / "in", column, values), **options)


def test_options_are_for_folders():
    for option in ({"split": "80/10/10"}, {"split_by": "x"}):
        with pytest.raises(UserError, match=r"--split.* is for --data folder; synthfaces has a split"):
            SourceSettings(**option)


def test_a_split_that_is_far_from_the_shares_is_told(tmp_path: Path):
    source = open_source("folder", written(tmp_path / "in", "x", "aaaabbbbccccdddd"), split_by="x")
    assert source.notes[0].startswith("The drawn split (8 train, 4 valid, 4 test) is not quite 80/10/10")


def test_four_of_four_persons_are_in_train_and_in_test():
    identity = np.repeat(["p0", "p1", "p2", "p3"], 10)
    split = np.tile(["train"] * 6 + ["valid"] * 2 + ["test"] * 2, 4)
    assert shared_people(identity, split).startswith(
        "4 of 4 persons are in train and in test, 4 in train and in valid, 4 in valid and in test; "
    )
    assert shared_people(identity, np.repeat(["train", "train", "valid", "test"], 10)) == ""
    assert shared_people(identity[:3], np.array(["train", "valid", "valid"])).startswith(
        "1 of 1 persons are in train and in valid; "
    )


def test_copies_are_drawn_into_one_split(tmp_path: Path):
    root = written(tmp_path / "in", "c", ["0"] * 60, seeds=[row // 2 for row in range(60)])
    source = open_source("folder", root)
    assert source.counts == {"train": 48, "valid": 6, "test": 6}
    assert (source.split[::2] == source.split[1::2]).all()
    assert source.notes == ("30 of 60 files equal another one; equal files are in one split.",)
    source.prepare(tmp_path / "out", 8)
    assert read_json(tmp_path / "out" / "prepared.json")["repeated"] == {"valid": 0, "test": 0}


def test_a_copy_joins_two_persons(tmp_path: Path):
    people = [f"p{row}" for row in range(10)]
    root = written(tmp_path / "in", "identity", people, seeds=[0, 1, 2, 3, 4, 5, 6, 7, 8, 0])
    split = FolderSource(root).split
    assert split[0] == split[9]


def test_nothing_changes_where_no_file_is_equal(tmp_path: Path):
    root = written(tmp_path / "in", "c", ["0"] * 20)
    names = pd.Series([f"{row}.png" for row in range(20)])
    assert FolderSource(root).split.tolist() == draw_split(names).tolist()
    assert joined(names, np.arange(20)).tolist() == names.tolist()


def test_pictures_in_two_given_splits_are_counted(tmp_path: Path):
    words = ["train"] * 6 + ["valid"] * 4 + ["test"] * 6
    root = written(tmp_path / "in", "split", words, seeds=[0, 1, 2, 3, 4, 5, 0, 1, 2, 9, 0, 1, 2, 3, 4, 9])
    Image.open(root / "15.png").save(root / "15.png", compress_level=0)  # another file, the same picture
    source = open_source("folder", root)
    assert source.notes == ()
    source.prepare(tmp_path / "out", 8)
    assert data_notes(source, tmp_path / "out") == [
        "6 of 6 test pictures have an equal picture in train or valid, 3 of 4 valid pictures have an equal "
        "picture in train; what is measured there is partly memory of these pictures."
    ]


def test_repeats_within_a_split_are_no_matter():
    images = np.arange(6, dtype=np.uint8)[[0, 0, 1, 1, 2, 2]].reshape(6, 1, 1, 1).repeat(3, axis=3)
    split = np.repeat(["train", "valid", "test"], 2)
    assert repeated_pictures(images, split) == {"valid": 0, "test": 0}
    assert repeated_pictures(images[[0, 1, 2, 3, 0, 2]], split) == {"valid": 0, "test": 2}


def test_empty_files_are_not_equal_pictures(tmp_path: Path):
    root = written(tmp_path / "in", "c", ["0"] * 20)
    plain = FolderSource(root).split.tolist()
    for row in (3, 4, 5):
        (root / f"{row}.png").write_bytes(b"")
    assert FolderSource(root).split.tolist() == plain
    shutil.copy(root / "6.png", root / "7.png")
    assert FolderSource(root).notes[0].startswith("1 of 20 files equal another one")


def test_the_options_name_and_tie_a_run_only_when_used():
    folder = {"target": "a", "protected": "b", "data": "folder", "data_root": "here"}
    usual, changed = preset("smoke", **folder), preset("smoke", **folder, split="70/15/15", split_by="my cam")
    assert default_name(usual, "smoke") == "folder-smoke-a-b"
    assert default_name(changed, "smoke") == "folder-smoke-a-b-split-70-15-15-by-my_cam"
    assert not {"split", "split_by"} & set(usual.identity()["source"])  # as in older run folders
    assert changed.identity()["source"]["split"] == "70/15/15"
