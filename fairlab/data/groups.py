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
    empty = [cell for cell in _cells(y, a, split, splits) if cell[3] == 0]
    if empty:
        part, target_label, protected_label, _ = empty[0]
        raise UserError(_empty(y, a, split, part, (target, protected), (target_label, protected_label)))


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


def _empty(
    y: np.ndarray, a: np.ndarray, split: np.ndarray, part: str, names: tuple[str, str], values: tuple[int, int]
) -> str:
    """Return the sentence of one empty cell."""
    (target, protected), (t, p) = names, values
    kind = "positives" if t else "negatives"
    members, inside = (y == t) & (a == p), split == part
    there = int((inside & (a == p)).sum())
    if not inside.any():
        return (
            f"The {part} split has no image at all, so '{target}' cannot be measured there; give images to "
            "train, valid and test in the column 'split', or leave that column out."
        )
    if not members.any():
        rest = "choose another pair of attributes or add such images"
        return (
            f"None of {len(y):,} images has {target}={t} with {protected}={p} (the {part} split has 0 {kind} "
            f"of '{target}' among its {there} images with {protected}={p}), so that group cannot be measured; "
            f"{rest}."
        )
    elsewhere = ", ".join(f"{name} {n}" for name, n in pd.Series(split[members]).value_counts().items())
    return (
        f"The {part} split has 0 {kind} of '{target}' among its {there} images with {protected}={p}, so that "
        f"group cannot be measured ({elsewhere} of them); add such images, deal them out anew with a column "
        "'split', or choose another pair of attributes."
    )
