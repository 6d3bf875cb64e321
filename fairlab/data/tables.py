"""The one reader of tables: CSV of any separator and encoding, or Parquet, a batch of rows at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.text_format import TextFormat, text_format

TEXT, PARQUET = (".csv", ".tsv", ".tab", ".txt"), (".parquet", ".pq")
#: How tables write that there is no value, in lower case, beside nothing at all.
MISSING: tuple[str, ...] = ("nan", "na", "n/a", "#n/a", "none", "null", "<na>", "nat", "-", "missing")
_SPELLINGS = pa.array(
    sorted({"".join(each) for text in MISSING for each in product(*zip(text, text.upper(), strict=True))})
)
#: What a column of row numbers is called by those who gave it no name: nobody, pandas, or R.
_INDEX = re.compile(r"|Unnamed: \d+|\.\.\.\d+|__index_level_\d+__")
_SIGNATURES = {
    b"PK\x03\x04": "a workbook or zip",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"\x1f\x8b": "compressed",
}
_BLOCK_BYTES, _BATCH_ROWS = 2**24, 2**18
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)
_ONE_COMMA, _UNCLEAR = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", r"[+-]?[1-9]\d{0,2},\d{3}"
_UNCLEAR_POINT, _WHOLE = r"[1-9]\d{0,2}\.\d{3}", r"^([+-]?\d+)(?:\.0+|,0{1,2})$"
_RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")


@dataclass(frozen=True)
class Column:
    """Some rows of one column, and where they stand in the file."""

    path: Path
    name: str
    values: pa.Array
    start: int  #: rows of the file before these
    by_commas: bool = False  #: whether commas separate the fields, and so hardly mark decimals

    def fault(self, what: str, row: int, remedy: str) -> UserError:
        """Return the error ``"The column 'x' of file.csv <what> in row 5; <remedy>."``, counted from 1."""
        where = f"in row {self.start + row + 1:,}"
        return UserError(f"The column '{self.name}' of {self.path} {what} {where}; {remedy}.")

    def texts(self) -> pa.Array:
        """Return the values as trimmed text, whole numbers without ``.0``.

        What is missing, however it is written, is empty text.
        """
        texts = self._trimmed()
        if pc.any(pc.starts_with(texts, '"')).as_py():  # a blank stood before the quotes
            texts = pc.replace_substring_regex(texts, r'^"(.*)"$', r"\1")
        if any(pc.any(pc.match_substring(texts, end)).as_py() for end in (".0", ",0")):
            # pandas wrote them so, as some value was missing once
            texts = pc.replace_substring_regex(texts, _WHOLE, r"\1")
        return pc.if_else(pc.is_in(texts, value_set=_SPELLINGS), "", texts)

    def encoded(self) -> tuple[np.ndarray, list[str]]:
        """Return the place of each value among the texts that occur, (rows,), and these, perhaps repeated."""
        values = self.values
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        try:
            found = pc.dictionary_encode(values, null_encoding="encode")
        except pa.ArrowNotImplementedError:  # of lists, and of types that are rarer than text
            found = self.texts().dictionary_encode()
        names = replace(self, values=found.dictionary).texts().to_pylist()
        return found.indices.to_numpy(zero_copy_only=False), names

    def numbers(self) -> np.ndarray:
        """Return the values as float64, (rows,); what is missing is NaN.

        "0,5" is a half, and "42 %" is 0.42.

        Raises
        ------
        UserError
            If a value is no number, its comma or point could stand before decimals as well as thousands, or
            some values have a sign of per cent and others have none.
        """
        values = self.values
        if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
            texts = self._trimmed()
            values = pc.if_else(pc.equal(texts, ""), None, texts)
        try:
            values = pc.cast(values, pa.float64())
        except pa.ArrowInvalid:
            values = self._parsed()
        numbers: np.ndarray = values.to_numpy(zero_copy_only=False)
        if not self.by_commas and pa.types.is_string(self.values.type) and (numbers > 1).any():
            self._check_points()
        return numbers

    def _trimmed(self) -> pa.Array:
        values = self.values
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        try:
            return pc.fill_null(pc.utf8_trim_whitespace(pc.cast(values, pa.string())), "")
        except pa.ArrowException as error:
            raise UserError(
                f"The column '{self.name}' of {self.path} has the type {values.type}, which is neither text "
                "nor a number; name another column."
            ) from error

    def _parsed(self) -> pa.Array:
        """Return numbers that are written in other ways than the fast conversion knows."""
        texts = self.texts().to_pandas()
        percent = texts.str.endswith("%")
        if percent.any():
            self._refuse(texts, ~percent & (texts != ""), "has no sign of per cent as others have")
        plain = texts.str.removesuffix("%").str.strip()
        if self.by_commas:
            self._refuse(texts, plain.str.fullmatch(_UNCLEAR), "may be thousands as well as decimals")
        points = plain.where(~plain.str.fullmatch(_ONE_COMMA), plain.str.replace(",", "."))
        numbers = pd.to_numeric(points, errors="coerce")
        self._refuse(texts, numbers.isna() & (texts != ""), "is no number")
        return pa.array(numbers.where(~percent, numbers / 100).to_numpy(dtype=np.float64))

    def _check_points(self) -> None:
        """Refuse "950" beside "1.234": where commas do not separate fields, points may mark thousands."""
        texts = self.texts().to_pandas()
        pointed = texts.str.contains(".", regex=False)
        thousands = texts.str.fullmatch(_UNCLEAR_POINT)
        whole = texts.str.fullmatch(r"\d+")
        if pointed.any() and whole.any() and thousands[pointed].all():
            self._refuse(texts, thousands, "may be thousands as well as decimals")

    def _refuse(self, texts: pd.Series, strange: pd.Series, why: str) -> None:
        if strange.any():
            row = int(strange.to_numpy().argmax())
            what = f"holds {texts[row]!r}, which {why},"
            raise self.fault(what, row, "correct it, with a decimal point, or name another column")


@dataclass(frozen=True)
class Table:
    """A CSV or Parquet file with a header and one row for each prediction or image.

    Separator and encoding of a CSV are found out; see `fairlab.data.text_format`.
    """

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_file():
            kind = "a folder, not a file" if self.path.is_dir() else "no file"
            raise UserError(f"{self.path} is {kind}; give a CSV or Parquet file.")
        suffix = self.path.suffix.lower()
        if suffix not in (*TEXT, *PARQUET):
            raise UserError(
                f"{self.path} ends in '{suffix}', but tables are read from {', '.join(TEXT)} and .parquet; "
                "save it as one of these (a spreadsheet as 'CSV UTF-8')."
            )
        with open(self.path, "rb") as file:
            start = file.read(4)
        if not start:
            raise self._empty()
        if start == b"PAR1" and not self._is_parquet:
            raise UserError(f"{self.path} is a Parquet file; let its name end in .parquet.")
        for signature, what in _SIGNATURES.items():
            if start.startswith(signature):
                raise UserError(
                    f"{self.path} is {what}, whatever its name says; save the table in it as 'CSV UTF-8'."
                )

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() in PARQUET

    @cached_property
    def _format(self) -> TextFormat:
        return text_format(self.path)

    @cached_property
    def names(self) -> list[str]:
        """The names of all columns, without blanks around them."""
        try:
            if self._is_parquet:
                return [str(name).strip() for name in pa.parquet.read_schema(self.path).names]
            names = list(self._format.names)
        except _UNREADABLE as error:
            raise self._unreadable(error) from error
        if not names:
            raise self._empty()
        return names

    def check(self, columns: Sequence[str]) -> None:
        """Raise a UserError unless each of `columns` is there, once."""
        for name in columns:
            if len(self.names) == 1 and name not in self.names:
                raise UserError(
                    f"{self.path} has one column only, {self.names[0][:60]!r}; if that is several, separate "
                    "them by commas, semicolons or tabs."
                )
            if name not in self.names:
                raise UserError(f"{self.path} has no column '{name}'; {nearest_names(name, self.names)}")
            if self.names.count(name) > 1:
                raise UserError(f"{self.path} has several columns '{name}'; rename all but one.")

    def batches(self, columns: Sequence[str]) -> Iterator[dict[str, Column]]:
        """Yield the columns, some rows at a time.

        Raises
        ------
        UserError
            If a column is missing, there are no rows, or the file cannot be read to its end.
        """
        self.check(columns)
        for batch in self.batches_at([self.names.index(name) for name in dict.fromkeys(columns)]):
            yield {column.name: column for column in batch}

    def batches_at(self, places: Sequence[int]) -> Iterator[list[Column]]:
        """Yield the columns at some places (from 0), some rows at a time; their names may be the same."""
        start, by_commas = 0, not self._is_parquet and self._format.delimiter == ","
        try:
            for batch in self._record_batches(places):
                pairs = zip(places, batch.columns, strict=True)
                yield [Column(self.path, self.names[i], values, start, by_commas) for i, values in pairs]
                start += len(batch)
        except _UNREADABLE as error:
            raise self._unreadable(error) from error
        if start == 0:
            raise self._without_rows()

    def _record_batches(self, places: Sequence[int]) -> Iterator[pa.RecordBatch]:
        if self._is_parquet:
            with pa.parquet.ParquetFile(self.path) as file:
                raw = [file.schema_arrow.names[i] for i in places]
                for batch in file.iter_batches(_BATCH_ROWS, columns=raw, use_threads=False):
                    yield batch.select(raw)
        else:
            with self._open_csv(places) as reader:
                yield from reader

    def _open_csv(self, places: Sequence[int]) -> pa.csv.CSVStreamingReader:
        # Everything is text at first: a value that is no number can then be named, with its row.
        # Columns go by their places: names may have blanks around them, or occur twice.
        written, asked = self._format, list(map(str, places))
        return pa.csv.open_csv(
            self.path,
            read_options=pa.csv.ReadOptions(
                block_size=_BLOCK_BYTES,
                use_threads=False,
                encoding="utf8" if written.encoding.startswith("utf-8") else written.encoding,
                skip_rows=written.header_lines,
                column_names=list(map(str, range(len(written.names)))),
            ),
            parse_options=pa.csv.ParseOptions(delimiter=written.delimiter, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                include_columns=asked, column_types=dict.fromkeys(asked, pa.string())
            ),
        )

    def _empty(self) -> UserError:
        return UserError(
            f"{self.path} is empty; give a file with a header and one row per prediction or image."
        )

    def _without_rows(self) -> UserError:
        return UserError(f"{self.path} has no rows below its header; add one for each prediction or image.")

    def _unreadable(self, error: Exception) -> UserError:
        reason = " ".join(str(error).split()).rstrip(".")[:200]
        if "Could not skip initial" in reason:  # the header is all there is
            return self._without_rows()
        if ragged := _RAGGED.search(reason):
            line, names, fields = map(int, ragged.groups())
            row = line - self._format.header_lines
            return UserError(
                f"Row {row:,} of {self.path} has {fields} fields, but the header "
                f"names {names}; correct the row, and put quotes around text with a separator in it."
            )
        kind = "Parquet" if self._is_parquet else "CSV"
        return UserError(f"{self.path} is not readable as {kind} ({reason}); save it again as {kind}.")


def read_texts(path: Path) -> pd.DataFrame:
    """Read a whole table as text, for labels of images.

    Returns
    -------
    DataFrame of str
        All columns but those of row numbers without a name, in order, as `Column.texts` has them. A name may
        occur twice. Of lists and other values that are no text there is but the name of their type.

    Raises
    ------
    UserError
        If the file is missing or unreadable, or has no rows.
    """
    table = Table(Path(path))
    places = [i for i, name in enumerate(table.names) if not is_index(name)]
    parts: list[list[pa.Array]] = [[] for _ in places]
    for batch in table.batches_at(places):
        for part, column in zip(parts, batch, strict=True):
            part.append(_texts_or_type(column))
    columns = [pa.chunked_array(part).to_pandas().astype(object) for part in parts]
    texts = pd.concat(columns, axis=1)
    texts.columns = pd.Index([table.names[i] for i in places], dtype=object)
    return texts


def _texts_or_type(column: Column) -> pa.Array:
    try:
        return column.texts()
    except UserError:  # nobody need have asked for this column
        rows: pa.Array = column.values  # noqa: PD011 (of pyarrow)
        return pa.repeat(str(rows.type), len(rows))


def plain(text: str) -> str:
    """Return a text as `Column.texts` has it: trimmed, a whole number without ``.0``."""
    return re.sub(_WHOLE, r"\1", text.strip())


def is_index(name: str) -> bool:
    """Return whether a column's name is that of row numbers which pandas or R wrote beside the table."""
    return _INDEX.fullmatch(name) is not None
