"""Can two attributes be told apart, and is every group of them in every split?"""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError

#: Of fewer images of a group in a split, figures are hardly more than chance.
FEW = 10


def require_groups(
    labels: pd.DataFrame, split: np.ndarray, target: str, protected: str, splits: Iterable[str]
) -> None:
    """Check that target and protected attribute differ, and that every group of both can be measured.

    Parameters
    ----------
    labels : DataFrame, n rows
        One 0/1 column for each attribute.
    split : ndarray of str, shape (n,)
    target, protected : str
        Columns of `labels`.
    splits : iterable of str
        Those in which no group may be empty.

    Raises
    ------
    UserError
        If both are one attribute, one is the same for all images, their labels always agree or always
        differ, or a group has no image, in all or in one of the splits.
    """
    if target == protected:
        raise UserError(f"Target and protected attribute are both '{target}'; choose two different ones.")
    for name in (target, protected):
        _require_both(labels, name)
    y, a = labels[target].to_numpy(dtype=bool), labels[protected].to_numpy(dtype=bool)
    _require_distinct(y, a, target, protected)
    for part, t, p, n in _cells(y, a, split, splits):
        if n == 0:
            kind = f"{'positives' if t else 'negatives'} of '{target}'"
            raise UserError(_empty(part, kind, f"{protected}={p}", split[a == p], split[(a == p) & (y == t)]))


def small_groups(
    labels: pd.DataFrame, split: np.ndarray, target: str, protected: str, splits: Iterable[str]
) -> str:
    """Say which groups have fewer than `FEW` images in a split; "" if none; arguments as `require_groups`."""
    y, a = labels[target].to_numpy(dtype=bool), labels[protected].to_numpy(dtype=bool)
    few = [
        f"{n} of {part} with {target}={t}, {protected}={p}"
        for part, t, p, n in _cells(y, a, split, splits)
        if n < FEW
    ]
    return (
        f"Few images: {'; '.join(few)}. Figures of these groups may be chance; add images of them."
        if few
        else ""
    )


def _require_both(labels: pd.DataFrame, name: str) -> None:
    if labels[name].nunique() < 2:
        value = f"{labels[name].iloc[0]:d}" if len(labels) else "unknown"
        raise UserError(
            f"The label of '{name}' is {value} for all {len(labels):,} images, so there is nothing to tell "
            "apart; choose another attribute, or add images of the other kind."
        )


def _require_distinct(y: np.ndarray, a: np.ndarray, target: str, protected: str) -> None:
    for which, never in (("the same", y != a), ("opposite", y == a)):
        if not never.any():
            raise UserError(
                f"'{target}' and '{protected}' cannot be told apart: their labels are {which} in all "
                f"{len(y):,} images; choose another pair of attributes, or add images in which they are not."
            )


def _cells(
    y: np.ndarray, a: np.ndarray, split: np.ndarray, splits: Iterable[str]
) -> Iterator[tuple[str, int, int, int]]:
    """Yield split, target label, protected label and number of images of each cell."""
    for part in splits:
        inside = split == part
        counts = np.bincount(2 * a[inside] + y[inside], minlength=4)
        yield from ((part, cell % 2, cell // 2, int(n)) for cell, n in enumerate(counts))


def _empty(part: str, kind: str, group: str, of_group: np.ndarray, of_cell: np.ndarray) -> str:
    """Return the sentence of a cell that a split lacks; where images of its group, and of it, are, (n,)."""
    lacking = f"The {part} split has 0 {kind} among its {(of_group == part).sum():,} images with {group}"
    if not len(of_cell):
        return (
            f"{lacking}, and no other split has any, so that group cannot be measured; choose another pair "
            "of attributes, or add such images."
        )
    elsewhere = ", ".join(f"{n:,} in {name}" for name, n in pd.Series(of_cell).value_counts().items())
    return (
        f"{lacking}, so that group cannot be measured; add such images, spread those there are ({elsewhere}) "
        "with a column 'split', or choose another pair of attributes."
    )
