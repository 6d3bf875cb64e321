"""The CSV that goes with a folder of your own images."""

from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.facedata import SPLITS

#: Ways to write a binary label: (absent, present). A column keeps to one of them.
BINARY: tuple[tuple[str, str], ...] = (
    ("0", "1"),
    ("-1", "1"),
    ("false", "true"),
    ("no", "yes"),
    ("f", "t"),
    ("n", "y"),
)
SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
SEED = 0
RESERVED = ("file", "split", "identity")


def read_table(path: Path) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """Read labels, split and people.

    Returns
    -------
    labels : DataFrame
        Index: the column ``file``. One uint8 column of 0/1 per attribute.
    split : ndarray of str, shape (n,)
        As given, or drawn by `draw_split`.
    identity : ndarray of str, shape (n,), or None
        Whose picture each image is, if there is such a column; the file name where it is empty.

    Raises
    ------
    UserError
        If the table is unreadable or empty, lacks ``file`` or any attribute, names a file twice, or has a
        label that is not binary or a split that does not exist.
    """
    table = _read_csv(path)
    attributes = [name for name in table.columns if name not in RESERVED]
    if not attributes:
        raise UserError(
            f"{path} has no attribute; add one 0/1 column for each thing a classifier shall learn."
        )
    repeated = table["file"][table["file"].duplicated()]
    if len(repeated):
        raise UserError(f"{path} names '{repeated.iloc[0]}' in two rows; keep one.")
    files = pd.Index(table["file"], dtype=object, name=None)
    labels = pd.DataFrame({name: _binary(path, table[name]) for name in attributes}, index=files)
    identity = table["file"]
    if "identity" in table:
        identity = table["identity"].where(table["identity"] != "", identity)
    people = identity.to_numpy(dtype=str) if "identity" in table else None
    split = _given_split(path, table["split"]) if "split" in table else draw_split(identity)
    return labels, split, people


def draw_split(identity: pd.Series) -> np.ndarray:
    """Draw train, valid and test (80/10/10 percent of the rows) so that no identity is in two of them.

    Identities are shuffled with a fixed seed and dealt out in that order; the order of rows does not matter.

    Parameters
    ----------
    identity : Series, shape (n,)
        Who is in each image; the file name where that is unknown.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    counts = identity.value_counts().sort_index()
    counts = counts.iloc[np.random.default_rng(SEED).permutation(len(counts))]
    before = (counts.cumsum() - counts) / counts.sum()  # share of rows dealt out before each identity
    edges = np.cumsum(list(SHARES.values()))[:-1] - 1e-9
    split = pd.Series(np.array(SPLITS)[np.searchsorted(edges, before, side="right")], index=counts.index)
    return identity.map(split).to_numpy(dtype=str)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # pandas' parser errors derive from ValueError
        raise UserError(f"{path} is not readable as CSV ({str(error).strip()}).") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes the surplus field for an index
        raise UserError(f"The rows of {path} have more fields than its header; name every column.")
    table = table.fillna("").rename(columns=str.strip).apply(lambda column: column.str.strip())
    if "file" not in table:
        raise UserError(f"{path} has no column 'file' (it has {', '.join(table.columns)}); name it so.")
    if table.empty:
        raise UserError(f"{path} has no rows below its header; add one for each image.")
    return table


def _binary(path: Path, column: pd.Series) -> np.ndarray:
    values = column.str.lower()
    for pair in BINARY:
        if values.isin(pair).all():
            return (values == pair[1]).to_numpy(dtype=np.uint8)
    known = {value for pair in BINARY for value in pair}
    strange = column[~values.isin(known)]
    if len(strange):
        fault = f"holds '{strange.iloc[0]}' in row {strange.index[0] + 1}"
    else:
        fault = f"mixes {', '.join(sorted(set(values)))}"
    raise UserError(
        f"The column '{column.name}' of {path} {fault}, but labels are 0/1, -1/1, false/true or no/yes, the "
        "same for the whole column; correct it, or remove the column if it is no attribute."
    )


def _given_split(path: Path, column: pd.Series) -> np.ndarray:
    split = column.str.lower().replace("val", "valid")
    unknown = column[~split.isin(SPLITS)]
    if len(unknown):
        raise UserError(f"{path} has the split '{unknown.iloc[0]}'; {nearest_names(unknown.iloc[0], SPLITS)}")
    return split.to_numpy(dtype=str)
