"""Leakage reads what the audit reads, by the same rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.data.label_files import read_labels
from fairlab.studies.leakage.measure import leakage
from fairlab.studies.leakage.predictions import read_predictions

N = 120


@pytest.fixture(scope="module")
def labels() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    women, hat = rng.integers(0, 2, (2, N))
    lipstick = np.where(rng.random(N) < 0.9, women, 1 - women)
    ids = [f"{i:04}" for i in range(N)]
    return pd.DataFrame(
        {"id": ids, "group": np.where(women, "w", "männlich"), "lipstick": lipstick, "hat": hat}
    )


@pytest.fixture(scope="module")
def scores(labels) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    given = {name: (0.2 + 0.5 * labels[name] + 0.2 * rng.random(N)).round(3) for name in ("lipstick", "hat")}
    return pd.DataFrame({"id": labels["id"]} | given)


def write(folder: Path, table: pd.DataFrame, name: str = "labels.csv", **options: Any) -> Path:
    path = folder / name
    if path.suffix in (".parquet", ".pq"):
        table.to_parquet(path, **options)
    else:
        table.to_csv(path, **{"index": False} | options)
    return path


WRITTEN: dict[str, dict[str, Any]] = {
    "semicolons": {"sep": ";", "decimal": ","},
    "tabs": {"sep": "\t", "name": "t.tsv"},
    "tabs as text": {"sep": "\t", "name": "t.txt"},
    "bars": {"sep": "|", "name": "t.tab"},
    "UTF-16": {"encoding": "utf-16"},
    "UTF-16 without a mark": {"encoding": "utf-16-le"},
    "Windows": {"encoding": "cp1252"},
    "lines of Windows": {"lineterminator": "\r\n"},
    "row numbers": {"index": True},
    "Parquet": {"name": "t.parquet"},
    "Parquet, short": {"name": "t.pq"},
}
VALUES: dict[str, Any] = {
    "-1 and 1": lambda column: 2 * column - 1,
    "floats": lambda column: column.astype(float),
    "words": lambda column: column.map({0: "no", 1: "Yes"}),
    "booleans": lambda column: column.astype("boolean"),
    "integers": lambda column: column.astype("Int64"),
}


@pytest.mark.parametrize("values", [None, *VALUES])
@pytest.mark.parametrize("way", [None, *WRITTEN])
def test_labels_are_the_same_however_they_are_written(tmp_path, labels, way, values):
    table = labels if values is None else labels.assign(lipstick=VALUES[values](labels["lipstick"]))
    read = read_labels(write(tmp_path, table, **WRITTEN.get(way, {})), protected="group", id_column="id")
    assert read.names == ("lipstick", "hat")
    assert read.labels.tolist() == labels[["lipstick", "hat"]].to_numpy().tolist()
    assert read.groups == ("männlich", "w")
    assert read.ids.tolist() == labels["id"].tolist()
    assert read.notes == ()


PREDICTED: dict[str, Any] = {
    "percentages": lambda column: 100 * column,
    "signs of per cent": lambda column: column.map("{:.1%}".format),
    "decimal commas": lambda column: column.astype(str).str.replace(".", ","),
    "floats": lambda column: column.astype("Float64"),
}


@pytest.mark.parametrize("values", PREDICTED)
@pytest.mark.parametrize("way", WRITTEN)
def test_predictions_are_the_same_however_they_are_written(tmp_path, labels, scores, way, values):
    table = read_labels(write(tmp_path, labels), protected="group", id_column="id")
    given = scores.assign(**{name: PREDICTED[values](scores[name]) for name in ("lipstick", "hat")})
    given = given.sample(frac=1, random_state=0)
    path = write(tmp_path, given, **{"name": "scores.csv"} | WRITTEN[way])
    read = read_predictions(path, table, id_column="id")
    np.testing.assert_allclose(read.numbers, scores[["lipstick", "hat"]], rtol=1e-6)
    assert len(read.notes) == (values == "percentages")


@pytest.mark.parametrize("values", [k for k in VALUES if k != "-1 and 1"])
def test_decisions_may_be_words(tmp_path, labels, values):
    table = read_labels(write(tmp_path, labels), protected="group", id_column="id")
    given = labels.assign(lipstick=VALUES[values](labels["lipstick"])).drop(columns="group")
    read = read_predictions(write(tmp_path, given, "scores.csv"), table, id_column="id")
    assert read.numbers.tolist() == labels[["lipstick", "hat"]].to_numpy().tolist()


def test_ids_that_a_spreadsheet_made_numbers_of_are_matched_and_said(tmp_path, labels, scores):
    table = read_labels(write(tmp_path, labels), protected="group", id_column="id")
    given = scores.assign(id=scores["id"].astype(int)).sample(frac=1, random_state=0)
    read = read_predictions(write(tmp_path, given, "scores.csv"), table, id_column="id")
    np.testing.assert_allclose(read.numbers, scores[["lipstick", "hat"]], rtol=1e-6)
    assert "the same but for zeros at the beginning" in read.notes[0]
    fewer = write(tmp_path, given[given["id"] != 7], "fewer.csv")
    with pytest.raises(UserError, match=r"120 of 120 images .* .some are there without zeros at the begin"):
        read_predictions(fewer, table, id_column="id")


def test_undecided_labels_are_left_out_with_a_count(tmp_path, labels):
    lipstick = (2 * labels["lipstick"] - 1).astype(object)
    lipstick[3], lipstick[5], lipstick[6] = 0, 0, "NA"
    path = write(tmp_path, labels.assign(lipstick=lipstick).drop(columns="id"))
    read = read_labels(path, protected="group")
    assert len(read) == N - 3
    assert read.labels[:, 0].tolist() == labels["lipstick"].drop([3, 5, 6]).tolist()
    assert read.notes == (
        "3 of 120 rows are left out, the first of them row 4: they have no value of 'lipstick' in 1; "
        "0 beside -1 and 1 means undecided, of 'lipstick' in 2.",
    )


def test_undecided_labels_of_celebas_text(tmp_path):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_text("4\nSmiling Male \n1.jpg -1  1\n2.jpg  0  1\n3.jpg  1 -1\n4.jpg  1 -1\n")
    read = read_labels(path, protected="Male")
    assert read.labels.tolist() == [[0], [1], [1]]
    assert read.protected.tolist() == [1, 0, 0]
    assert "1 of 4 rows are left out, the first of them row 2" in read.notes[0]


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "group missing": ({"group": ["", *["a", "b"] * 59, "a"]}, "'group' of .* has no value in 1 of 120 rows"),
    "group undecided": ({"group": [0, *[-1, 1] * 59, 1]}, "'group' of .* is undecided .* in 1 of 120 rows"),
    "one group": ({"group": 1}, "must have two values, but has 1"),
    "never whole": ({"a": ["1", ""] * 60, "b": ["", "0"] * 60}, "no row with a value of every label"),
    "no label": ({"lipstick": "x y", "hat": 0.5}, r"'lipstick' \(holds 'x y' in row 1\), 'hat' \(holds"),
    "id missing": ({"id": ["", *map(str, range(1, N))]}, "'id' of .* has no value .* needs an id"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_of_labels_is_one_sentence(tmp_path, labels, case):
    changes, sentence = FAULTS[case]
    with pytest.raises(UserError, match=sentence) as raised:
        read_labels(write(tmp_path, labels.assign(**changes)), protected="group", id_column="id")
    assert "\n" not in str(raised.value)


def test_columns_of_one_name_refuse_only_when_asked_for(tmp_path, labels):
    path = write(tmp_path, labels.assign(other=0))
    path.write_text(path.read_text().replace("hat,other", "hat,hat"))
    read = read_labels(path, protected="group")
    assert read.names == ("lipstick",)
    assert "'hat' (stands twice in the header)" in read.notes[0]
    with pytest.raises(UserError, match="several columns 'hat'"):
        read_labels(path, protected="group", labels=["hat"])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "marks": ({"hat": [1, 2, 3, 4] * 30}, "between 0.201 and 4, .* neither probabilities .* nor logits"),
    "missing": ({"hat": [0.5, None] * 60}, "'hat' of .* is empty in row 2; give a finite score"),
    "infinite": ({"hat": np.inf}, "'hat' of .* holds inf in row 1"),
    "words": ({"hat": "high"}, "'hat' of .* holds 'high', which is no number"),
    "twice": ({"id": "1"}, "has the id '1' twice"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_fault_of_predictions_is_one_sentence(tmp_path, labels, scores, case):
    changes, sentence = WRONG[case]
    table = read_labels(write(tmp_path, labels), protected="group", id_column="id")
    with pytest.raises(UserError, match=sentence):
        read_predictions(write(tmp_path, scores.assign(**changes), "s.csv"), table, id_column="id")


def test_ids_are_never_taken_for_predictions(tmp_path, labels, scores):
    table = read_labels(write(tmp_path, labels), protected="group")
    path = write(tmp_path, scores.drop(columns="hat").rename(columns={"lipstick": "p"}), "s.csv")
    with pytest.raises(UserError, match="'id' is no prediction; name it with --id"):
        read_predictions(path, table)


def test_a_performance_below_chance_is_said_in_a_sentence(tmp_path, labels):
    text = leakage(write(tmp_path, labels), protected="group", at_performance=0.1, rounds=2)
    assert text.count("labels cannot be made as inaccurate as the model") == 1
    assert "Warning" not in text
    with pytest.raises(UserError, match="--performance-metric says what F is, and there is none"):
        leakage(write(tmp_path, labels), protected="group", performance_metric="mAP")
