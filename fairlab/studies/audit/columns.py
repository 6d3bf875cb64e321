"""Columns of a CSV or Parquet file, read a batch of rows at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.folder_table import MISSING

#: What separates the fields of a text file, by its suffix.
DELIMITERS = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
_BLOCK_BYTES, _BATCH_ROWS = 2**24, 2**18
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)


@dataclass(frozen=True)
class Column:
    """Some rows of one column, and where they stand in the file."""

    path: Path
    name: str
    values: pa.Array
    start: int  #: rows of the file before these

    def fault(self, what: str, row: int, remedy: str) -> UserError:
        """Return the error ``"The column 'x' of file.csv <what> in row 5; <remedy>."``, counted from 1."""
        where = f"in row {self.start + row + 1:,}"
        return UserError(f"The column '{self.name}' of {self.path} {what} {where}; {remedy}.")

    def texts(self) -> pa.Array:
        """Return the values as trimmed text; what is missing is empty text."""
        values = self.values
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        try:
            texts = pc.fill_null(pc.utf8_trim_whitespace(pc.cast(values, pa.string())), "")
            return pc.if_else(pc.is_in(pc.utf8_lower(texts), value_set=pa.array(MISSING)), "", texts)
        except pa.ArrowException as error:
            raise UserError(
                f"The column '{self.name}' of {self.path} has the type {values.type}, which is neither text "
                "nor a number; name another column."
            ) from error

    def numbers(self) -> np.ndarray:
        """Return the values as float64, (rows,); what is missing is NaN.

        Raises
        ------
        UserError
            If a value is no number.
        """
        values = self.values
        if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
            texts = self.texts()
            values = pc.if_else(pc.equal(texts, ""), None, texts)
        try:
            values = pc.cast(values, pa.float64())
        except pa.ArrowInvalid as error:
            row = next(i for i, text in enumerate(values.to_pylist()) if text and not _is_number(text))
            what = f"holds {str(values[row])!r}, which is no number,"
            raise self.fault(what, row, "correct it, or name another column") from error
        numbers: np.ndarray = values.to_numpy(zero_copy_only=False)
        return numbers


@dataclass(frozen=True)
class Table:
    """A CSV, TSV or Parquet file with one row for each prediction."""

    path: Path

    def __post_init__(self) -> None:
        if not self.path.is_file():
            kind = "a folder, not a file" if self.path.is_dir() else "no file"
            raise UserError(f"{self.path} is {kind}; give a CSV or Parquet file with one row per prediction.")
        if self._suffix not in (*DELIMITERS, *PARQUET):
            raise UserError(
                f"{self.path} ends in '{self._suffix}', but predictions are read from .csv, .tsv or "
                ".parquet; save them as one of these."
            )
        if self.path.stat().st_size == 0:
            raise UserError(f"{self.path} is empty; give a file with a header and one row per prediction.")

    @property
    def _suffix(self) -> str:
        return self.path.suffix.lower()

    @cached_property
    def names(self) -> list[str]:
        """The names of all columns."""
        try:
            if self._suffix in PARQUET:
                return list(pa.parquet.read_schema(self.path).names)
            with self._open_csv() as reader:
                return list(reader.schema.names)
        except _UNREADABLE as error:
            raise self._unreadable(error) from error

    def check(self, columns: Sequence[str]) -> None:
        """Raise a UserError unless each of `columns` is there, once."""
        for name in columns:
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
        start = 0
        try:
            for batch in self._record_batches(list(dict.fromkeys(columns))):
                named = zip(batch.schema.names, batch.columns, strict=True)
                yield {name: Column(self.path, name, values, start) for name, values in named}
                start += len(batch)
        except _UNREADABLE as error:
            raise self._unreadable(error) from error
        if start == 0:
            raise UserError(f"{self.path} has no rows below its header; add one for each prediction.")

    def _record_batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        if self._suffix in PARQUET:
            with pa.parquet.ParquetFile(self.path) as file:
                yield from file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)
        else:
            with self._open_csv(columns) as reader:
                yield from reader

    def _open_csv(self, columns: Sequence[str] = ()) -> pa.csv.CSVStreamingReader:
        # Everything is text at first: a value that is no number can then be named, with its row.
        return pa.csv.open_csv(
            self.path,
            read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=DELIMITERS[self._suffix], newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                include_columns=list(columns), column_types={name: pa.string() for name in columns}
            ),
        )

    def _unreadable(self, error: Exception) -> UserError:
        kind = "Parquet" if self._suffix in PARQUET else "CSV"
        reason = " ".join(str(error).split()).rstrip(".")[:200]
        return UserError(f"{self.path} is not readable as {kind} ({reason}); save it again as {kind}.")


def _is_number(text: str) -> bool:
    try:
        pc.cast(pa.array([text]), pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
