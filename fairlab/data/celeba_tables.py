"""CelebA's annotation files, as published (blank-padded text) or as on Kaggle (CSV)."""

from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.data.facedata import SPLITS

# -1 and 0 both mean "absent", but a file that has both is not one of CelebA's and cannot be trusted.
CODES = {"0": 0, "1": 1, "-1": 2}
PARTITIONS = {"0": 0, "1": 1, "2": 2}


def read_attributes(path: Path) -> pd.DataFrame:
    """Read ``list_attr_celeba.txt`` or ``.csv``.

    Returns
    -------
    DataFrame
        Index: file name. One uint8 column of 0/1 per attribute; -1 becomes 0.

    Raises
    ------
    UserError
        If a row is short or long, a value is neither -1/1 nor 0/1, or a name occurs twice.
    """
    lines = _lines(path)
    if lines and lines[0][1].strip().isdigit():
        lines = lines[1:]  # the published file begins with the row count
    if len(lines) < 2:
        raise UserError(f"{path} has no rows below its header; fetch it again.")
    names = [name for name in lines[0][1].split() if name != "image_id"]
    if len(set(names)) < len(names):
        raise UserError(f"{path} names an attribute twice in its header; fetch it again.")
    files, codes = _read_rows(path, lines[1:], len(names), CODES)
    if {0, 2} <= set(np.unique(codes)):
        raise UserError(f"{path} mixes -1 and 0; write either -1/1 or 0/1 throughout.")
    return pd.DataFrame((codes == 1).astype(np.uint8), index=files, columns=names)


def read_partition(path: Path, files: pd.Index) -> np.ndarray:
    """Read ``list_eval_partition.txt`` or ``.csv`` and look up `files`.

    Returns
    -------
    ndarray of str, shape (n,)
        "train", "valid" or "test" for each file; 0, 1 and 2 in the table.

    Raises
    ------
    UserError
        If a row is short or long, a value is not 0, 1 or 2, or one of `files` has no row.
    """
    lines = [line for line in _lines(path) if not line[1].startswith("image_id")]
    known, codes = _read_rows(path, lines, 1, PARTITIONS)
    places = known.get_indexer(files)
    if (places < 0).any():
        absent = files[places < 0]
        raise UserError(f"{path} has no row for {len(absent)} images, such as {absent[0]}; fetch it again.")
    return np.array(SPLITS)[codes[places, 0]]


def read_identity(path: Path, files: pd.Index) -> np.ndarray:
    """Read ``identity_CelebA.txt``: a file name and the number of a person in each row.

    Returns
    -------
    ndarray of str, shape (n,)
        The person of each of `files`; the file name where it has no row.

    Raises
    ------
    UserError
        If a row is short or long.
    """
    people = {}
    for number, line in _lines(path):
        file, *values = line.split()
        if len(values) != 1:
            raise UserError(f"{path}, line {number}: {file} has {len(values)} values, not 1; fetch it again.")
        people[file] = values[0]
    return np.array([people.get(file, file) for file in files], dtype=str)


def _lines(path: Path) -> list[tuple[int, str]]:
    """Return the lines that are not blank with their numbers, commas turned into blanks."""
    try:
        text = path.read_text(encoding="utf-8-sig").replace(",", " ")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not readable as text ({error}); fetch it again.") from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _read_rows(
    path: Path, lines: list[tuple[int, str]], columns: int, codes: dict[str, int]
) -> tuple[pd.Index, np.ndarray]:
    """Read rows of a file name and `columns` values; return the names and the codes, (n, columns) uint8."""
    files, rows = [], []
    for number, line in lines:
        file, *values = line.split()
        if len(values) != columns:
            raise UserError(
                f"{path}, line {number}: {file} has {len(values)} values, not {columns}; fetch it again."
            )
        try:
            rows.append(bytes(map(codes.__getitem__, values)))
        except KeyError as error:
            known = ", ".join(codes)
            raise UserError(
                f"{path}, line {number}: the value {error} for {file} is none of {known}."
            ) from None
        files.append(file)
    index = pd.Index(files, dtype=object)
    if not index.is_unique:
        raise UserError(f"{path} has two rows for {index[index.duplicated()][0]}; delete one.")
    return index, np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(-1, columns)
