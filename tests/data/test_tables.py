"""One reader for all tables: however they are written, pandas and we read the same."""

import csv
import datetime
import decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.data.tables import MISSING, Column, Table, read_texts

PEOPLE = pd.DataFrame(
    {
        "y": [0, 1, 1, 0] * 5,
        "score": np.linspace(0.05, 0.95, 20).round(3),
        "name": ["männlich", "weiblich", "a; b", "c, d"] * 5,
    }
)


def read(path: Path, *names: str) -> dict[str, list]:
    """Return columns as our reader has them: "score" as numbers, others as text."""
    found: dict[str, list] = {name: [] for name in names}
    for batch in Table(path).batches(names):
        for name, column in batch.items():
            found[name] += (column.numbers() if name == "score" else column.texts()).tolist()
    return {
        name: [getattr(value, "as_py", lambda v=value: v)() for value in each] for name, each in found.items()
    }


WRITTEN = {
    "commas": {},
    "semicolons": {"sep": ";"},
    "semicolons and decimal commas": {"sep": ";", "decimal": ","},
    "tabs": {"sep": "\t"},
    "tabs and decimal commas": {"sep": "\t", "decimal": ","},
    "bars": {"sep": "|"},
    "quotes": {"quoting": csv.QUOTE_ALL},
    "quoted decimal commas": {"decimal": ","},
    "UTF-8 with a mark": {"encoding": "utf-8-sig"},
    "Windows": {"encoding": "cp1252", "sep": ";"},
    "UTF-16": {"encoding": "utf-16"},
    "UTF-16 without a mark": {"encoding": "utf-16-le", "sep": "\t"},
    "lines of Windows": {"lineterminator": "\r\n"},
    "lines of old Macs": {"lineterminator": "\r"},
}


@pytest.mark.parametrize("name", ["data.csv", "data.txt"])
@pytest.mark.parametrize("way", WRITTEN)
def test_every_way_to_write_a_table(tmp_path, way, name):
    path = tmp_path / name
    PEOPLE.to_csv(path, index=False, **WRITTEN[way])
    found = read(path, "y", "score", "name")
    assert found["y"] == PEOPLE["y"].astype(str).tolist()
    assert found["score"] == PEOPLE["score"].tolist()
    assert found["name"] == PEOPLE["name"].tolist()


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\ny;score\n1;0,5\n0;0,25\n",
        " y , score \n 1 , 0.5\n 0 , 0.25\n",
        '"y" , "score"\n"1", "0.5"\n"0", "0.25"\n',
        "\n\ny,score\n\n1,50%\n0,25 %\n",
        "y;score;\n1;0.5;\n0;.25;\n",
        "y;score\n1;5e-1;\n0;2,5e-1;\n",
        'y,score\n"1","1",0.5\n"2","0",0.25\n',  # R's write.table
        'y,score,notes\n1,0.5,"a;b;c"\n0,"0,25","d;e;f"\n',
    ],
)
def test_what_spreadsheets_and_r_write(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_text(content)
    assert read(path, "y", "score") == {"y": ["1", "0"], "score": [0.5, 0.25]}


def test_the_separator_is_the_one_that_cuts_all_rows_alike(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("label (a,b,c);score\n1;0,5\n0;0,25\n")
    assert Table(path).names == ["label (a,b,c)", "score"]


@pytest.mark.parametrize(
    "spelling", ["", " ", *MISSING, *(text.upper() for text in MISSING), "NaN", "None", "Null"]
)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_missing_is_missing_however_it_is_written(tmp_path, spelling, suffix):
    path = tmp_path / f"data.{suffix}"
    table = pd.DataFrame({"score": ["0.5", spelling, "0.25"], "name": ["a", spelling, "b"]})
    table.to_parquet(path) if suffix == "parquet" else table.to_csv(path, index=False)
    found = read(path, "score", "name")
    assert found["name"] == ["a", "", "b"]
    np.testing.assert_array_equal(found["score"], [0.5, np.nan, 0.25])


def test_what_only_looks_like_missing_is_kept(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("name,y\nNatalie,1\nunknown,1\n0,1\nNo,1\n")
    assert read(path, "name")["name"] == ["Natalie", "unknown", "0", "No"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.sampled_from([";", "\t", "|"]))
def test_numbers_are_those_of_pandas(tmp_path_factory, numbers, separator):
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    table = pd.DataFrame({"score": numbers, "y": 0})
    table.to_csv(path, index=False, sep=separator, decimal=",")
    expected = pd.read_csv(path, sep=separator, decimal=",")["score"]
    np.testing.assert_allclose(read(path, "score")["score"], expected, rtol=1e-15)


FAULTS = {
    "a comma that may be thousands": (
        'y,score\n1,"1,234"\n',
        "'score' .* holds '1,234', .* thousands .* row 1",
    ),
    "two marks": ("y;score\n1;0,5\n0;1.234,5\n", "holds '1.234,5', which is no number, in row 2"),
    "a text": ("y,score\n1,0.5\n0,high\n", "holds 'high', which is no number, in row 2; correct it"),
    "a short row": ("y,score\n1,0.5\n0\n", "Row 2 of .* has 1 fields, .* names 2; correct the row"),
    "a long row": ("y;score\n1;0.5;3\n0;0.5\n", "Row 1 of .* has 3 fields"),
    "blanks": ("y score\n1 0.5\n", "has one column only, 'y score'; .* separate them by commas"),
    "a workbook": (b"PK\x03\x04...", "is a workbook or zip, whatever its name says; save"),
    "two encodings": ("y,score\nä,1\n".encode() + "ö,1\n".encode("cp1252"), "save it as 'CSV UTF-8'"),
    "no text": (bytes(range(256)) * 4, "is neither UTF-8 nor UTF-16 nor Windows text"),
    "no rows": ("y,score\n", "has no rows below its header; add one"),
    "no end of line": ("y,score", "has no rows below its header; add one"),
    "a mark only": (b"\xef\xbb\xbf", "is empty; give a file with a header"),
    "a line only": ("\n", "is empty; give a file with a header"),
    "another mark only": (b"\xff\xfe", "is empty; give a file with a header"),
    "Parquet": (b"PAR1...", "is a Parquet file; let its name end in .parquet"),
    "some per cent": ("y,score\n1,5%\n0,42\n", "'42', which has no sign of per cent .* in row 2"),
    "points of thousands": ("y;score\n1;950\n0;1.234\n", "'1.234', which may be thousands .* in row 2"),
    "the same name twice": ("y,score,score\n1,0,0\n", "has several columns 'score'; rename all but one"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_that_says_what_to_do(tmp_path, fault):
    content, sentence = FAULTS[fault]
    path = tmp_path / "data.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=sentence) as raised:
        read(path, "y", "score")
    assert "\n" not in str(raised.value)


def test_names_that_are_no_tables(tmp_path):
    (tmp_path / "data.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match=r"ends in '.xlsx', but .*'CSV UTF-8'"):
        Table(tmp_path / "data.xlsx")
    with pytest.raises(UserError, match="is a folder"):
        Table(tmp_path)


def test_a_column_that_nobody_asks_for_may_hold_anything(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text('y,notes,score,notes\n1,"two\nlines",0.5,\n0,,0.25,-\n')
    assert read(path, "y", "score") == {"y": ["1", "0"], "score": [0.5, 0.25]}


@pytest.mark.parametrize("way", ["pandas", "pandas, twice", "R", "Parquet"])
def test_row_numbers_without_a_name_are_left_out_of_whole_tables(tmp_path, way):
    path = tmp_path / ("data.parquet" if way == "Parquet" else "data.csv")
    if way == "Parquet":
        PEOPLE.set_axis(range(5, 25)).to_parquet(path)
    elif way == "R":
        path.write_text('"file","y"\n"1","a.png",1\n"2","b.png",0\n')
    else:
        PEOPLE.to_csv(path)
        if way == "pandas, twice":
            pd.read_csv(path).to_csv(path)
    texts = read_texts(path)
    assert list(texts.columns) == (["file", "y"] if way == "R" else list(PEOPLE))
    assert texts["y"].tolist() == (["1", "0"] if way == "R" else PEOPLE["y"].astype(str).tolist())


def test_whole_numbers_that_became_floats_are_whole_again(tmp_path):
    table = pd.DataFrame({"a": [1.0, None, -1.0], "b": [0.5, 10.0, 1.05]})
    for name in ("data.csv", "data.parquet"):
        path = tmp_path / name
        table.to_parquet(path) if name.endswith("parquet") else table.to_csv(path, index=False)
        assert read_texts(path).to_dict("list") == {"a": ["1", "", "-1"], "b": ["0.5", "10", "1.05"]}


@pytest.mark.parametrize("written", ["1.0", "1.00", "1,0", "1", " 1.0 "])
def test_a_whole_number_is_one_text_however_it_is_written(tmp_path, written):
    path = tmp_path / "data.csv"
    path.write_text(f"name;y\n{written};0\n1,5;0\n1,000;0\n")
    assert read(path, "name")["name"] == ["1", "1,5", "1,000"]


def test_points_are_decimals_where_some_number_has_not_three(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("score;y\n950;0\n1.234;0\n2.5;0\n")
    assert read(path, "score")["score"] == [950, 1.234, 2.5]


def test_a_header_of_thousands_of_names(tmp_path):
    path = tmp_path / "data.csv"
    features = pd.DataFrame(np.zeros((20, 8000), int), columns=[f"feature {i:09}" for i in range(8000)])
    pd.concat([features, PEOPLE], axis=1).to_csv(path, index=False, sep=";", decimal=",")
    assert read(path, "score")["score"] == PEOPLE["score"].tolist()


ENCODED = {
    "text": pa.array(["1", "1.0", None, "nan", "a"]),
    "floats": pa.array([1.0, None, np.nan, 0.5]),
    "half floats": pa.array(np.array([1, 0.5], np.float16)),
    "decimals": pa.array([decimal.Decimal("1.0"), None, decimal.Decimal("0.5")]),
    "booleans": pa.array([True, None, False]),
    "categories": pa.array(["b", None, "a", "b"]).dictionary_encode(),
    "nothing": pa.nulls(3),
    "bytes": pa.array([b"a", b"b", None]),
    "large text": pa.array(["a", "b", None], pa.large_string()),
    "days": pa.array([datetime.date(2020, 1, 1), None]),
}


@pytest.mark.parametrize("kind", ENCODED)
def test_encoded_values_are_their_texts(kind):
    column = Column(Path("data.parquet"), "a", ENCODED[kind], 0)
    places, names = column.encoded()
    assert [names[place] for place in places] == column.texts().to_pylist()


def test_what_is_no_text_is_its_type_in_a_whole_table(tmp_path):
    path = tmp_path / "data.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"y": [1, 0], "vector": [[0.5], [1.5]]}), path)
    assert read_texts(path).to_dict("list") == {"y": ["1", "0"], "vector": ["list<element: double>"] * 2}
    with pytest.raises(UserError, match=r"'vector' of .* has the type list"):
        read(path, "vector")


def test_parquet_keeps_columns_in_the_order_asked_for(tmp_path):
    path = tmp_path / "data.parquet"
    pyarrow.parquet.write_table(pyarrow.table({" score ": [0.5], "y": [1]}), path)
    assert read(path, "y", "score") == {"y": ["1"], "score": [0.5]}


def test_rows_are_numbered_through_all_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("fairlab.data.tables._BLOCK_BYTES", 64)
    path = tmp_path / "data.csv"
    path.write_text("y,score\n" + "1,0.5\n" * 100 + "1,high\n")
    with pytest.raises(UserError, match="in row 101"):
        read(path, "score")
    path.write_text("y,score\n" + "1,0.5\n" * 100 + "1\n")
    with pytest.raises(UserError, match="Row 101 of"):
        read(path, "score")
