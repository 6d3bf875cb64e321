"""The same person, or the same picture, more than once: a test of such images measures memory."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fairlab.data.facedata import SPLITS
from fairlab.data.files import ImageFiles


def shared_people(identity: np.ndarray, split: np.ndarray) -> str:
    """Say how many persons are in two splits; "" if none is.

    Parameters
    ----------
    identity, split : ndarray of str, shape (n,)

    Examples
    --------
    >>> print(shared_people(np.array(["ann", "ann", "bob"]), np.array(["train", "test", "valid"])))
    1 of 2 persons are in train and in test; what is measured there is partly memory of these persons.
    """
    there = pd.crosstab(identity, split).reindex(columns=list(SPLITS), fill_value=0) > 0
    pairs = sorted(combinations(SPLITS, 2), key=lambda pair: pair != ("train", "test"))
    counts = {f"in {one} and in {two}": int((there[one] & there[two]).sum()) for one, two in pairs}
    found = [f"{count:,} {where}" for where, count in counts.items() if count]
    if not found:
        return ""
    first, _, rest = found[0].partition(" ")
    listed = ", ".join([f"{first} of {len(there):,} persons are {rest}", *found[1:]])
    return f"{listed}; what is measured there is partly memory of these persons."


def equal_files(files: ImageFiles, names: Sequence[str]) -> np.ndarray:
    """Number files so that equal ones, and only these, have equal numbers; only equal sizes are read.

    Returns
    -------
    ndarray of int, shape (n,)
    """
    sizes = pd.Series([files.sizes[name] for name in names])
    suspect = (sizes.duplicated(keep=False) & (sizes > 0)).to_numpy()  # empty files are no pictures
    keys = [_checksum(files, name) if read else name for name, read in zip(names, suspect, strict=True)]
    return pd.factorize(pd.Series(keys, dtype=object))[0]


def joined(groups: pd.Series, equal: np.ndarray) -> pd.Series:
    """Return groups, those with equal files as one, under its first name.

    Parameters
    ----------
    groups : Series, shape (n,)
    equal : ndarray of int, shape (n,)
        From `equal_files`.
    """
    codes, names = pd.factorize(groups, sort=True)
    n = len(names) + int(equal.max(initial=-1)) + 1
    edges = coo_array((np.ones(len(codes)), (codes, len(names) + equal)), shape=(n, n))
    _, component = connected_components(edges, directed=False)
    first = pd.Series(codes).groupby(component[codes]).transform("min")
    return pd.Series(np.asarray(names)[first], index=groups.index)


def repeated_pictures(images: np.ndarray, split: np.ndarray) -> dict[str, int]:
    """Count the pictures of valid that are in train, and those of test that are in train or valid.

    Parameters
    ----------
    images : ndarray, shape (n, h, w, 3), uint8
    split : ndarray of str, shape (n,)
    """
    marks = np.array([hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest() for image in images])
    return {
        "valid": int(np.isin(marks[split == "valid"], marks[split == "train"]).sum()),
        "test": int(np.isin(marks[split == "test"], marks[split != "test"]).sum()),
    }


def repeats_sentence(repeated: Mapping[str, int], counts: Mapping[str, int]) -> str:
    """Say what `repeated_pictures` counts, of so many images of each split; "" if nothing."""
    where = {"test": "train or valid", "valid": "train"}
    found = [
        f"{count:,} of {counts[split]:,} {split} pictures have an equal picture in {where[split]}"
        for split in where
        if (count := repeated.get(split, 0))
    ]
    return f"{', '.join(found)}; what is measured there is partly memory of these pictures." if found else ""


def _checksum(files: ImageFiles, name: str) -> str:
    try:
        return hashlib.sha256(files.read(name)).hexdigest()
    except OSError:  # preparing says what cannot be read
        return name
