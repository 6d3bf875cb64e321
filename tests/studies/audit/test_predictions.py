"""Reading anyone's predictions: every way to write them, and a sentence for every fault."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from fairlab.core.errors import UserError
from fairlab.studies.audit.match import match
from fairlab.studies.audit.predictions import Columns, read_predictions

BINARY = Columns("label", score="score", protected=("group",))
CLASSES = Columns("race", prefix="p_", protected=("group",))


def binary_table(**columns):
    table = {"label": [0, 1, 1, 0], "score": [0.25, 0.75, 1, 0], "group": list("abab"), "id": list("wxyz")}
    return pd.DataFrame(table | columns)


def class_table(**columns):
    table = {
        "race": ["Black", "White", "White", "Asian"],
        "p_White": [0.1, 0.7, 0.2, 0.3],
        "p_Black": [0.8, 0.2, 0.5, 0.2],
        "p_Asian": [0.1, 0.1, 0.3, 0.5],
        "group": list("abab"),
    }
    return pd.DataFrame(table | columns)


def written(folder, table, name="data.csv"):
    path = folder / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.parquet", "DATA.CSV"])
def test_every_format_reads_the_same(tmp_path, name):
    found = read_predictions(written(tmp_path, binary_table(), name), BINARY)
    assert found.label.codes.tolist() == [0, 1, 1, 0]
    assert found.scores.tolist() == [0.25, 0.75, 1, 0]
    assert found.protected["group"].names == ("a", "b")
    assert found.protected["group"].codes.tolist() == [0, 1, 0, 1]
    assert found.predicted is None
    assert len(found) == 4


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 1, 0],
        [-1, 1, 1, -1],
        ["no", "Yes", "yes", "no"],
        ["n", "Y", "y", "n"],
        ["f", "T", "t", "F"],
        [False, True, True, False],
        [0.0, 1.0, 1.0, 0.0],
    ],
)
@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_every_way_to_write_a_binary_label(tmp_path, values, name):
    found = read_predictions(written(tmp_path, binary_table(label=values), name), BINARY)
    assert found.label.codes.tolist() == [0, 1, 1, 0]


def test_parquet_categories_and_small_floats(tmp_path):
    table = binary_table(group=pd.Categorical(list("baba")), score=np.array([0.5, 1, 0, 0.25], np.float32))
    found = read_predictions(written(tmp_path, table, "data.parquet"), BINARY)
    assert found.protected["group"].codes.tolist() == [1, 0, 1, 0]
    assert found.scores.tolist() == [0.5, 1, 0, 0.25]


def test_the_likeliest_class_is_predicted(tmp_path):
    found = read_predictions(written(tmp_path, class_table()), CLASSES)
    assert found.label.names == ("White", "Black", "Asian")
    assert found.label.codes.tolist() == [1, 0, 0, 2]
    assert found.predicted.tolist() == [1, 0, 1, 2]
    np.testing.assert_allclose(found.scores, [0.8, 0.7, 0.5, 0.5], rtol=1e-6)


def test_commas_quotes_and_lines_within_values(tmp_path):
    table = binary_table(group=["a, b", 'say "c"', "a, b", 'say "c"'], caption=["two\nlines"] * 4)
    found = read_predictions(written(tmp_path, table), BINARY)
    assert found.protected["group"].names == ("a, b", 'say "c"')


FAULTS = {
    "missing column": ({"scor": [0.1] * 4, "score": None}, "has no column 'score'; did you mean 'scor'?"),
    "empty score": ({"score": [0.1, None, 0.2, 0.3]}, "'score' of .* is empty in row 2"),
    "NaN score": ({"score": [0.1, 0.2, "nan", 0.3]}, "'score' of .* is empty in row 3"),
    "score too large": ({"score": [0.1, 0.2, 1.5, 0.3]}, "holds 1.5 in row 3; scores lie between 0 and 1"),
    "score is text": ({"score": [0.1, "high", 1, 0.3]}, "holds 'high', which is no number, in row 2"),
    "strange label": ({"label": [0, 1, "maybe", 0]}, "holds 'maybe' in row 3, but labels"),
    "undecided label": (
        {"label": [-1, 1, 0, -1]},
        r"0 beside -1 and 1, which means undecided, in 1 of 4 rows .first: row 3.; decide",
    ),
    "mixed label": ({"label": [0, 1, "yes", 0]}, "mixes 0, 1, yes"),
    "empty label": ({"label": [0, 1, None, 0]}, r"'label' .* no value .* in 1 of 4 rows \(first: row 3\)"),
    "one class": ({"label": [1, 1, 1, 1]}, "holds only '1'"),
    "empty group": ({"group": ["a", None, "b", ""]}, r"has no value .* in 2 of 4 rows \(first: row 2\)"),
    "one group": ({"group": ["a"] * 4}, "holds only 'a'; with one group"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["data.csv", "data.parquet"])
def test_faults_of_binary_predictions(tmp_path, fault, name):
    changes, sentence = FAULTS[fault]
    table = binary_table(**{key: value for key, value in changes.items() if value is not None})
    table = table.drop(columns=[key for key, value in changes.items() if value is None])
    if name.endswith("parquet"):
        table = table.astype(
            {key: str for key in changes if key in table and table[key].dtype == object and key != "group"}
        )
        table = table.replace({"None": ""})
    path = written(tmp_path, table, name)
    with pytest.raises(UserError, match=sentence) as raised:
        read_predictions(path, BINARY)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"p_Black": [0.8, 0.2, 0.9, 0.2]}, r"'p_…' of .* sum to 1.4 in row 3"),
        ({"p_Black": [0.8, -0.2, 0.5, 0.2]}, "'p_Black' of .* holds -0.2 in row 2; probabilities"),
        ({"race": ["Black", "White", "Whit", "Asian"]}, "holds 'Whit' in row 3, .* did you mean 'White'"),
        ({"race": ["White"] * 4}, "holds only 'White'"),
    ],
)
def test_faults_of_class_probabilities(tmp_path, changes, sentence):
    with pytest.raises(UserError, match=sentence):
        read_predictions(written(tmp_path, class_table(**changes)), CLASSES)


def test_probabilities_rounded_to_five_digits_are_taken(tmp_path):
    table = class_table(p_Black=[0.80004, 0.2, 0.5, 0.2])
    assert len(read_predictions(written(tmp_path, table), CLASSES)) == 4


def test_too_few_classes_and_too_many_groups(tmp_path):
    path = written(tmp_path, class_table())
    with pytest.raises(UserError, match="has 1 columns that begin with 'p_W'"):
        read_predictions(path, Columns("race", prefix="p_W", protected=("group",)))
    with pytest.raises(UserError, match="either the column of scores"):
        read_predictions(path, Columns("race", protected=("group",)))
    many = pd.DataFrame({"label": [0, 1] * 150, "score": 0.5, "group": range(300)})
    with pytest.raises(UserError, match="more than 200 different values"):
        read_predictions(written(tmp_path, many, "many.csv"), BINARY)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("data.xlsx", b"PK", "ends in '.xlsx'"),
        ("data.csv", b"", "is empty; give a file with a header"),
        ("data.csv", b"label,score,group\n", "has no rows below its header"),
        ("data.csv", b"label,score,group\n0,0.1\n", "Row 1 of .* has 2 fields, but the header names 3"),
        ("data.csv", bytes(range(256)) * 20, "data.csv"),
        ("data.csv", b"label,score,group\n0,0.1,\xff\xfe\n1,0.2,\xc3\xa4\n", "is neither UTF-8 nor"),
        ("data.csv", b"label,score,group,group\n0,0.1,a,b\n", "has several columns 'group'"),
        ("data.parquet", b"PAR1 but no more", "is not readable as Parquet"),
    ],
)
def test_files_that_are_no_tables(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_predictions(path, BINARY)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(UserError, match="is no file"):
        read_predictions(tmp_path / "absent.csv", BINARY)
    with pytest.raises(UserError, match="is a folder"):
        read_predictions(tmp_path, BINARY)


def test_a_column_of_lists(tmp_path):
    path = tmp_path / "data.parquet"
    pa.parquet.write_table(pa.table({"label": [[0], [1]], "score": [0.1, 0.2], "group": ["a", "b"]}), path)
    with pytest.raises(UserError, match="neither text nor a number"):
        read_predictions(path, BINARY)


WITH_ID = Columns("label", score="score", protected=("group",), id="id")


def test_two_files_are_matched_by_id(tmp_path):
    first = read_predictions(written(tmp_path, binary_table()), WITH_ID)
    shuffled = binary_table(score=[0.1, 0.2, 0.3, 0.4]).iloc[[2, 0, 3, 1]]
    other = read_predictions(written(tmp_path, shuffled, "other.parquet"), WITH_ID)
    assert match(first, other, WITH_ID, WITH_ID).scores.tolist() == [0.1, 0.2, 0.3, 0.4]


def test_classes_in_another_order_are_matched(tmp_path):
    table = class_table()
    first = read_predictions(written(tmp_path, table), CLASSES)
    turned = table[["group", "p_Asian", "p_Black", "p_White", "race"]]
    other = match(first, read_predictions(written(tmp_path, turned, "other.csv"), CLASSES), CLASSES, CLASSES)
    assert other.predicted.tolist() == first.predicted.tolist()
    fewer = table.assign(p_White=table["p_White"] + table["p_Asian"], race="White").drop(columns="p_Asian")
    fewer.loc[0, "race"] = "Black"
    with pytest.raises(UserError, match="has probabilities of the class 'Asian'"):
        match(first, read_predictions(written(tmp_path, fewer, "fewer.csv"), CLASSES), CLASSES, CLASSES)


@pytest.mark.parametrize(
    ("columns", "changes", "sentence"),
    [
        (WITH_ID, {"id": list("wxyv")}, r"1 of 4 ids in the column 'id' .* \(first: 'z' in row 4\)"),
        (WITH_ID, {"id": list("wxyy")}, r"has the id 'y' again in row 4 \(1 repetitions in all\)"),
        (WITH_ID, {"id": ["w", "x", None, "z"]}, "'id' of .* is empty in row 3"),
        (WITH_ID, {"label": [0, 0, 1, 0]}, r"holds '1' in row 2, but .* holds '0' .*\(1 rows differ\)"),
        (BINARY, {"label": [0, 0, 1, 0]}, "or match them with --id"),
    ],
)
def test_files_that_do_not_match(tmp_path, columns, changes, sentence):
    first = read_predictions(written(tmp_path, binary_table()), columns)
    path = written(tmp_path, binary_table(**changes), "other.csv")
    with pytest.raises(UserError, match=sentence):
        match(first, read_predictions(path, columns), columns, columns)


def test_files_of_different_length(tmp_path):
    first = read_predictions(written(tmp_path, binary_table()), BINARY)
    other = read_predictions(written(tmp_path, binary_table().iloc[:3], "other.csv"), BINARY)
    with pytest.raises(UserError, match=r"has 4 rows and .* 3, so they cannot be compared"):
        match(first, other, BINARY, BINARY)
