"""Categorical columns as codes: binary labels, classes and groups."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import BINARY, THREE, binary_pair
from fairlab.data.tables import Column

#: A column with more distinct values than this names people or images, not groups.
MOST_GROUPS = 200


@dataclass(frozen=True)
class Categories:
    """A column of names: `codes` (n,) point into `names`."""

    names: tuple[str, ...]
    codes: np.ndarray


@dataclass
class Names:
    """Collects a column of names as codes; `rows` holds the first row of each name."""

    known: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    codes: list[np.ndarray] = field(default_factory=list)

    def add(self, column: Column) -> None:
        """Collect some rows."""
        places, names = column.encoded()
        for place, name in enumerate(names):
            if name not in self.known:
                self.known[name] = len(self.known)
                self.rows.append(column.start + int(np.argmax(places == place)))
        if len(self.known) > MOST_GROUPS:
            raise UserError(
                f"The column '{column.name}' of {column.path} has more than {MOST_GROUPS} different values, "
                "so it forms no groups; name a column of labels, or merge values."
            )
        self.codes.append(np.array([self.known[name] for name in names], dtype=np.uint8)[places])

    @classmethod
    def of(cls, column: Categories, rows: np.ndarray) -> Names:
        """Return some rows of a column that was read before."""
        codes, first = np.unique(column.codes[rows], return_index=True)
        known = {column.names[code]: place for place, code in enumerate(codes)}
        return cls(known, first.tolist(), [np.searchsorted(codes, column.codes[rows]).astype(np.uint8)])

    def finish(self, names: list[str]) -> Categories:
        """Return the codes in the order of `names`, which hold all that is known."""
        order = np.array([names.index(name) for name in self.known], dtype=np.uint8)
        return Categories(tuple(names), order[np.concatenate(self.codes)])

    def equal_to(self, text: str, *, in_any_case: bool = False) -> np.ndarray:
        """Return 1 where the name is a text, else 0, (n,)."""
        names = [name.lower() for name in self.known] if in_any_case else list(self.known)
        order = np.array([name == text for name in names], dtype=np.uint8)
        return np.asarray(order[np.concatenate(self.codes)])


def binary_label(path: Path, name: str, found: Names, positive: str | None = None) -> Categories:
    """Return a label as codes 0 and 1, however the file writes it; `positive` names one of two texts."""
    check_whole(path, name, found, "fill in the label")
    if positive is not None:
        return _told_apart(path, name, found, positive)
    _check_decided(path, name, found)
    pair = binary_pair(found.known)
    if pair is None:
        known = {value for pair in BINARY for value in pair}
        strange = [text for text in found.known if text.lower() not in known]
        fault = f"mixes {', '.join(sorted(found.known))}"
        if strange:
            fault = f"holds '{strange[0]}' in row {found.rows[found.known[strange[0]]] + 1:,}"
        raise UserError(
            f"The column '{name}' of {path} {fault}, but labels with a --score are 0/1, -1/1, false/true or "
            "no/yes (or f/t, n/y), the same for the whole column; correct it, say which of two values is "
            "positive with --positive, or give class probabilities with --prob-prefix."
        )
    _check_several(path, name, {text.lower() for text in found.known})
    return Categories(pair, found.equal_to(pair[1], in_any_case=True))


def hard_labels(
    path: Path, label: tuple[str, Names], predicted: tuple[str, Names], positive: str | None
) -> tuple[Categories, np.ndarray, bool]:
    """Return a label, the predicted codes of its categories, and whether they are 0 and 1.

    They are if each column holds a pair of binary values, or `positive` names one of two texts; else they
    are classes. Where only one of the columns holds -1, 0 and 1, its 0 means undecided.
    """
    for name, found in (label, predicted):
        check_whole(path, name, found, "fill in the value")
    both = {**label[1].known, **predicted[1].known}
    if positive is not None:
        pairs = [(_other(path, label[0], both, positive), positive)] * 2
    else:
        pairs = [pair for _, found in (label, predicted) if (pair := binary_pair(found.known)) is not None]
    if len(pairs) == 1:
        for name, found in (label, predicted):
            _check_decided(path, name, found)
    if len(pairs) < 2:
        _check_several(path, label[0], set(label[1].known))
        _check_common(path, label, predicted)
        names = sorted(both)
        codes = [found.finish(names).codes for _, found in (label, predicted)]
        return Categories(tuple(names), codes[0]), codes[1], False
    codes = [
        found.equal_to(pair[1], in_any_case=positive is None)
        for (_, found), pair in zip((label, predicted), pairs, strict=True)
    ]
    _check_several(path, label[0], {pairs[0][code] for code in np.unique(codes[0])})
    return Categories(pairs[0], codes[0]), codes[1], True


def _check_common(path: Path, label: tuple[str, Names], predicted: tuple[str, Names]) -> None:
    """Refuse classes of which none is both true and predicted: they are written in two ways."""
    if set(label[1].known).isdisjoint(predicted[1].known):
        ours, theirs = (", ".join(map(repr, sorted(found.known)[:5])) for _, found in (label, predicted))
        raise UserError(
            f"The columns '{label[0]}' ({ours}) and '{predicted[0]}' ({theirs}) of {path} have no value in "
            "common, so every prediction would be wrong; write classes alike in both."
        )


def _check_decided(path: Path, name: str, found: Names) -> None:
    """Refuse a label of -1, 0 and 1: undecided rows are never dropped."""
    if set(found.known) != THREE:
        return
    undecided = sum(int((codes == found.known["0"]).sum()) for codes in found.codes)
    raise UserError(
        f"The column '{name}' of {path} holds 0 beside -1 and 1, which means undecided, in {undecided:,} of "
        f"{sum(map(len, found.codes)):,} rows (first: row {found.rows[found.known['0']] + 1:,}); decide "
        "these, remove them, or, if 0 is a class of its own, name classes with --predicted or --prob-prefix."
    )


def _told_apart(path: Path, name: str, found: Names, positive: str) -> Categories:
    """Return a label of two texts, one of which is positive."""
    negative = _other(path, name, found.known, positive)
    _check_several(path, name, set(found.known))
    return Categories((negative, positive), found.equal_to(positive))


def _other(path: Path, name: str, known: Collection[str], positive: str) -> str:
    """Return the one value beside the positive one."""
    others = sorted(set(known) - {positive})
    if positive not in known:
        raise UserError(
            f"The column '{name}' of {path} never holds '{positive}', which --positive names; "
            f"{nearest_names(positive, known)}"
        )
    if len(others) != 1:
        raise UserError(
            f"With --positive the column '{name}' of {path} has two values, but it has {len(known)}: "
            f"{', '.join(repr(text) for text in sorted(known)[:8])}; leave --positive out for classes."
        )
    return others[0]


def class_label(path: Path, name: str, prefix: str, found: Names, classes: list[str]) -> Categories:
    """Return a label as codes of the classes that there are probabilities of; 1.0 is the class 1."""
    check_whole(path, name, found, "fill in the class")
    named: dict[str, int] = {}
    for text, row in zip(found.known, found.rows, strict=True):
        same = [each for each in classes if each == text] or [each for each in classes if _equal(each, text)]
        if len(same) != 1:
            raise UserError(
                f"The column '{name}' of {path} holds '{text}' in row {row + 1:,}, but there is no column "
                f"'{prefix}{text}'; {nearest_names(text, classes)}"
            )
        named[text] = classes.index(same[0])
    _check_several(path, name, {classes[place] for place in named.values()})
    order = np.array(list(named.values()), dtype=np.uint8)
    return Categories(tuple(classes), order[np.concatenate(found.codes)])


def _equal(one: str, other: str) -> bool:
    """Return whether two texts are the same number."""
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _check_several(path: Path, name: str, values: set[str]) -> None:
    if len(values) == 1:
        raise UserError(
            f"The column '{name}' of {path} holds only '{next(iter(values))}', and one class alone cannot be "
            "told right from wrong; give rows of both."
        )


def check_whole(path: Path, name: str, found: Names, remedy: str) -> None:
    """Raise a UserError if a value is missing in some rows."""
    if "" in found.known:
        missing = sum(int((codes == found.known[""]).sum()) for codes in found.codes)
        total = sum(map(len, found.codes))
        raise UserError(
            f"The column '{name}' of {path} has no value (empty, nan, NA or the like) in {missing:,} "
            f"of {total:,} rows (first: row {found.rows[found.known['']] + 1:,}); {remedy}, or remove these."
        )


def groups(path: Path, name: str, found: Names) -> Categories:
    """Return the groups in the order of their names; every row must have one, and there must be two."""
    check_whole(path, name, found, "fill in a group, such as 'unknown'")
    if len(found.known) == 1:
        raise UserError(
            f"The column '{name}' of {path} holds only '{next(iter(found.known))}'; with one group there is "
            "nothing to compare, so name another column."
        )
    return found.finish(sorted(found.known))
