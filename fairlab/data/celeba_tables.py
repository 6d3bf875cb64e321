"""CelebA's annotation files, as published (blank-padded text) or as on Kaggle (CSV, perhaps saved again)."""

from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError
from fairlab.data.binary_columns import binary_columns, file_column, left_out_sentence, undecided
from fairlab.data.facedata import SPLITS
from fairlab.data.tables import read_texts

# -1 and 0 both mean "absent", in one file or another. In a file that has both, 0 means undecided if some
# column has all of -1, 0 and 1; else it cannot be trusted.
CODES = {"0": 0, "1": 1, "-1": 2}
PARTITION = ["partition", "split"]  # what the column of splits may be called
PARTITIONS = {"0": 0, "1": 1, "2": 2}


def read_attribute_table(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read ``list_attr_celeba.txt`` or ``.csv``.

    Returns
    -------
    labels : DataFrame
        Index: file name. One uint8 column of 0/1 per attribute; -1 becomes 0.
    left_out : dict of str to str
        Columns that are no attributes, and why; see `fairlab.data.binary_columns`.

    Raises
    ------
    UserError
        If a row is short or long, a value is neither -1/1 nor 0/1, or a name occurs twice.
    """
    if path.suffix.lower() == ".csv":
        return _attributes_in_columns(path)
    codes = _read_codes(path)
    if {0, 2} <= set(np.unique(codes)):
        return _decided(path, _texts(codes))
    return (codes == 1).astype(np.uint8), {}


def read_attributes(path: Path) -> pd.DataFrame:
    """Read ``list_attr_celeba.txt`` as it is written: "-1", "0" and "1", with the files' names as index."""
    return _texts(_read_codes(path))


def _texts(codes: pd.DataFrame) -> pd.DataFrame:
    texts = np.array(list(CODES), dtype=object)[codes.to_numpy()]
    return pd.DataFrame(texts, index=codes.index, columns=codes.columns)


def _read_codes(path: Path) -> pd.DataFrame:
    """Read a text file as `CODES`, with the files' names as index."""
    lines = _lines(path)
    if lines and lines[0][1].strip().isdigit():
        lines = lines[1:]  # the published file begins with the row count
    if len(lines) < 2:
        raise UserError(f"{path} has no rows below its header; fetch it again.")
    names = [name for name in lines[0][1].split() if name != "image_id"]
    if len(set(names)) < len(names):
        raise UserError(f"{path} names an attribute twice in its header; fetch it again.")
    files, codes = _read_rows(path, lines[1:], len(names), CODES)
    return pd.DataFrame(codes, index=files, columns=names)


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
    if path.suffix.lower() == ".csv":
        known, codes = _partition_in_columns(path)
    else:
        known, codes = _read_rows(path, _lines(path), 1, PARTITIONS)
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


def _attributes_in_columns(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a CSV of attributes, however Kaggle, pandas or R wrote it, perhaps merged with other lists."""
    table = _by_file(path)
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise UserError(f"{path} names an attribute, '{repeated[0]}', twice in its header; remove one.")
    return _decided(path, table.drop(columns=PARTITION, errors="ignore"))


def _decided(path: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the labels without those that are undecided for some image: 0 beside -1."""
    labels, left_out = binary_columns(table)
    zeros = {str(name): (table[name] == "0").to_numpy() for name in labels if name in table}
    zeros = {name: zero for name, zero in zeros.items() if zero.any()}
    if any(undecided(column).any() for _, column in table.items()):
        left_out |= {
            name: f"holds 0 in row {int(zero.argmax()) + 1:,}, undecided as beside -1 and 1 in other columns"
            for name, zero in zeros.items()
        }
        labels = labels.drop(columns=list(zeros))
    elif zeros and any((table[name] == "-1").any() for name in labels if name in table):
        raise UserError(f"{path} mixes -1 and 0; write either -1/1 or 0/1 throughout.")
    if labels.columns.empty:
        raise UserError(f"{path} has no attribute. {left_out_sentence(path, left_out)}".rstrip())
    return labels, left_out


def _partition_in_columns(path: Path) -> tuple[pd.Index, np.ndarray]:
    """Read a CSV of splits; return the names and the codes, (n, 1)."""
    table = _by_file(path)
    named = [name for name in PARTITION if name in table] or list(table.columns)
    if len(named) != 1:
        raise UserError(
            f"{path} needs one column 'partition' beside the files' names, but has "
            f"{', '.join(table.columns)}; name it so."
        )
    split = table[named[0]].str.lower().replace(dict(zip((*SPLITS, "val"), "0121", strict=True)))
    strange = (~split.isin(PARTITIONS)).to_numpy()
    if strange.any():
        row = int(strange.argmax())
        raise UserError(
            f"The column '{named[0]}' of {path} holds '{split.iloc[row]}' in row {row + 1:,}, which is none "
            "of 0, 1, 2; correct it."
        )
    return table.index, split.map(PARTITIONS).to_numpy(dtype=np.uint8)[:, None]


def _by_file(path: Path) -> pd.DataFrame:
    """Return a CSV as text, with the names of the images as index."""
    table = read_texts(path)
    table = table.set_index(file_column(path, table, "image_id")).rename_axis(None)
    if not table.index.is_unique:
        raise UserError(f"{path} has two rows for {table.index[table.index.duplicated()][0]}; delete one.")
    return table


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
