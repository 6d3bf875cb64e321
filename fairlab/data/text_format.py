"""How a table of text is written: its encoding, its separator, and the names of its columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from fairlab.core.errors import UserError

#: What may separate the fields of a row; of two that fit equally well the first is taken.
DELIMITERS = (",", ";", "\t", "|")
_SAMPLE, _RECORDS, _BLOCK = 2**16, 20, 2**22
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ENDS = re.compile(r"[\r\n]")
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*')  # Excel reads and writes such a first line


@dataclass(frozen=True)
class TextFormat:
    """How a table of text is written.

    Attributes
    ----------
    encoding : str
        A codec of Python.
    delimiter : str
        One of `DELIMITERS`.
    names : tuple of str
        The names of all columns without blanks around them; "" for one without a name.
    header_lines : int
        Lines of the file up to the first row.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...]
    header_lines: int


def text_format(path: Path) -> TextFormat:
    """Find out how a table of text is written, from its bytes, its header and its first rows.

    Raises
    ------
    UserError
        If the file is neither UTF-8, UTF-16 nor Windows text (code page 1252).
    """
    encoding = find_encoding(path)
    with open(path, encoding=encoding, newline="") as file:
        sample = file.read(_SAMPLE)
        while (more := file.read(_SAMPLE)) and not _ENDS.search(sample):  # a header of thousands of names
            sample += more
    if more:  # the last record may be cut
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    lines = list(io.StringIO(sample, newline=""))
    told = _SEP_LINE.fullmatch(lines[0]) if lines else None
    candidates = (told[1],) if told else DELIMITERS
    found = [_Records.read(lines[bool(told) :], delimiter) for delimiter in candidates]
    best = max(found, key=lambda records: (len(records.header) > 1, records.fitting, len(records.header)))
    return TextFormat(encoding, best.delimiter, best.names, best.header_lines + bool(told))


def find_encoding(path: Path) -> str:
    """Return the codec of a file of text: by its mark, else UTF-8, else Windows' code page 1252.

    Raises
    ------
    UserError
        If it is none of these.
    """
    with open(path, "rb") as file:
        start = file.read(4)
    for bom, encoding in _BOMS.items():
        if start.startswith(bom):
            return encoding
    if len(start) == 4 and b"\0\0" in (start[::2], start[1::2]):
        return "utf-16-le" if start[1::2] == b"\0\0" else "utf-16-be"
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _mixes_utf8(path) or not _decodes(path, "cp1252"):
        raise UserError(
            f"{path} is neither UTF-8 nor UTF-16 nor Windows text throughout; open it in the program that "
            "wrote it, and save it as 'CSV UTF-8'."
        )
    return "cp1252"


def _blocks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        yield from iter(partial(file.read, _BLOCK), b"")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(path):
            if decoder.getstate()[0] or not block.isascii():
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mixes_utf8(path: Path) -> bool:
    """Return whether there are letters of UTF-8 beside bytes that are none: Windows text has none."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    return any(not decoder.decode(block).isascii() for block in _blocks(path) if not block.isascii())


class _Records(NamedTuple):
    """The first records of a table, cut at one delimiter."""

    delimiter: str
    header: list[str]
    rows: list[list[str]]
    header_lines: int

    @classmethod
    def read(cls, lines: list[str], delimiter: str) -> _Records:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        try:
            header = next((record for record in reader if any(map(str.strip, record))), [])
        except csv.Error:  # a line of thousands of names that is not cut at all
            return cls(delimiter, [], [], 0)
        above = reader.line_num
        return cls(delimiter, header, [row for row in islice(reader, _RECORDS) if row], above)

    @property
    def names(self) -> tuple[str, ...]:
        names = [name.strip() for name in self.header]
        surplus = bool(self.rows) and all(len(row) == len(names) + 1 for row in self.rows)
        if surplus and [row[0] for row in self.rows] == [str(i + 1) for i in range(len(self.rows))]:
            names.insert(0, "")  # R numbers the rows, and gives these numbers no name
        elif surplus and not any(row[-1] for row in self.rows):
            names.append("")  # a delimiter at the end of each row
        return tuple(names)

    @property
    def fitting(self) -> float:
        """The share of rows that have as many fields as there are names."""
        width = len(self.names)
        return sum(len(row) == width for row in self.rows) / len(self.rows) if self.rows else 1.0
