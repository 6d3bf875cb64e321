"""Rows of two tables, matched by what names them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Texts: TypeAlias = pa.Array | pa.ChunkedArray


def places(ids: Texts, among: Texts) -> tuple[np.ndarray, bool]:
    """Return where each id stands among others, and whether zeros at the beginning had to be left out.

    They are if all ids are found without them, and each only once: spreadsheets make 12 of 0012.

    Parameters
    ----------
    ids, among : pyarrow arrays of str
        Each without repetitions.

    Returns
    -------
    places : array of shape (n,)
        -1 for an id that is not there.
    without_zeros : bool

    Examples
    --------
    >>> places(pa.array(["01", "02"]), pa.array(["2", "1"]))
    (array([1, 0]), True)
    >>> places(pa.array(["01", "1"]), pa.array(["1", "2"]))
    (array([-1,  0]), False)
    """
    found = pc.index_in(ids, value_set=among)
    if found.null_count:
        bare, others = _without_zeros(ids), _without_zeros(among)
        again = pc.index_in(bare, value_set=others)
        if not again.null_count and _distinct(bare) and _distinct(others):
            return _array(again), True
    return _array(found), False


def zeros_are_all(ids: Texts, among: Texts) -> bool:
    """Return whether more ids are found among others without zeros at the beginning."""
    plain = pc.index_in(ids, value_set=among)
    return bool(
        pc.index_in(_without_zeros(ids), value_set=_without_zeros(among)).null_count < plain.null_count
    )


def zeros_sentence(path: object, other: object) -> str:
    """Say that rows were matched although the ids differ by zeros."""
    return f"The ids of {path} and {other} are the same but for zeros at the beginning, and so matched."


def _without_zeros(ids: Texts) -> Texts:
    return pc.replace_substring_regex(ids, r"^0+([0-9])", r"\1")


def _distinct(ids: Texts) -> bool:
    return bool(pc.count_distinct(ids).as_py() == len(ids))


def _array(found: Texts) -> np.ndarray:
    return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.intp)
