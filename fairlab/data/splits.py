"""Splits into train, valid and test: as tables spell them, or drawn."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.facedata import SPLITS

Shares = tuple[float, ...]
SHARES: Shares = (80.0, 10.0, 10.0)  # per cent for train, valid and test
SEED = 0

#: Spellings of the splits; numbers are CelebA's.
WORDS: Mapping[str, str] = {
    "train": "train", "training": "train",
    "valid": "valid", "val": "valid", "validation": "valid", "dev": "valid", "development": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip
NUMBERS: Mapping[str, str] = dict(zip("012", SPLITS, strict=True))


def read_shares(text: str) -> Shares:
    """Read per cents of train, valid and test.

    Raises
    ------
    UserError
        If they are not three numbers above 0 with the sum 100.

    Examples
    --------
    >>> read_shares("80/10/10")
    (80.0, 10.0, 10.0)
    """
    try:
        shares = tuple(float(part) for part in text.split("/"))
    except ValueError:
        shares = ()
    if len(shares) != len(SPLITS) or not min(shares) > 0 or not abs(sum(shares) - 100) < 1e-6:
        raise UserError(
            f"--split is '{text}'; give per cents of train, valid and test, each above 0 and 100 together, "
            "such as 80/10/10."
        )
    return shares


def read_split(where: str, column: pd.Series) -> np.ndarray:
    """Return the split of each row, (n,) str, of a column of text.

    Parameters
    ----------
    where : str
        What the column is called in a sentence, such as "The column 'split' of labels.csv".
    column : Series of str, shape (n,)
        Words of `WORDS` in any case, or 0, 1 and 2.

    Raises
    ------
    UserError
        If a row has none, or a word that is no split.
    """
    split = column.str.lower().map({**WORDS, **NUMBERS})
    unknown = split.isna().to_numpy()
    if unknown.any():
        row = int(unknown.argmax())
        word = column.iloc[row]
        if not word:
            raise UserError(
                f"{where} has no value in {int((column == '').sum()):,} of {len(column):,} rows, first in "
                f"row {row + 1:,}; fill it in, or draw the splits anew with --split 80/10/10."
            )
        raise UserError(f"{where} has the split '{word}' in row {row + 1:,}; {nearest_names(word, SPLITS)}")
    return split.to_numpy(dtype=str)


def is_split(column: pd.Series) -> bool:
    """Whether all values are words for splits, of at least two of them."""
    split = column.str.lower().map(WORDS)
    return bool(split.notna().all()) and len(split.unique()) > 1


def draw_split(groups: pd.Series, shares: Shares = SHARES) -> np.ndarray:
    """Draw train, valid and test so that no group is in two of them.

    Groups are shuffled with a fixed seed and dealt out in that order; the order of rows does not matter. Of
    three groups or more, each split gets at least one.

    Parameters
    ----------
    groups : Series, shape (n,)
        Whose picture each image is; the file name where that is unknown.
    shares : tuple of float
        Per cents of the rows; see `read_shares`.

    Returns
    -------
    ndarray of str, shape (n,)
    """
    counts = groups.value_counts().sort_index()
    counts = counts.iloc[np.random.default_rng(SEED).permutation(len(counts))]
    codes = _dealt(counts, shares)
    if len(np.unique(codes)) < len(SPLITS) <= len(counts):  # the largest first, so that small ones are left
        counts = counts.sort_values(ascending=False, kind="stable")
        codes = _none_empty(_dealt(counts, shares))
    return groups.map(pd.Series(np.array(SPLITS)[codes], index=counts.index)).to_numpy(dtype=str)


def deviation(split: np.ndarray, shares: Shares) -> tuple[str, ...]:
    """Say what was drawn where it is more than 5 per cent of the images off the shares; else ()."""
    counts = {name: int((split == name).sum()) for name in SPLITS}
    off = [abs(100 * n / len(split) - share) for n, share in zip(counts.values(), shares, strict=True)]
    if max(off) <= 5:
        return ()
    found = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    wanted = "/".join(f"{share:g}" for share in shares)
    return (
        f"The drawn split ({found}) is not quite {wanted} per cent: few images, or many that stay together.",
    )


def _dealt(counts: pd.Series, shares: Shares) -> np.ndarray:
    """Return the number of the split of each group, by the share of rows dealt out before it."""
    before = (counts.cumsum() - counts) / counts.sum()
    edges = np.cumsum([share / 100 for share in shares])[:-1] - 1e-9
    return np.searchsorted(edges, before, side="right")


def _none_empty(codes: np.ndarray) -> np.ndarray:
    """Return the rising numbers, as few changed as give each of three splits a group."""
    codes[-1] = 2
    if 1 not in codes:
        trained = int((codes == 0).sum())
        codes[trained - 1 if trained > 1 else trained] = 1
    return codes
