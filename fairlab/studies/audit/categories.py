"""Categorical columns as codes: binary labels, classes and groups."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import BINARY, binary_pair
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
        encoded = column.texts().dictionary_encode()
        places: np.ndarray = encoded.indices.to_numpy(zero_copy_only=False)
        names = encoded.dictionary.to_pylist()
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

    def finish(self, names: list[str]) -> Categories:
        """Return the codes in the order of `names`, which hold all that is known."""
        order = np.array([names.index(name) for name in self.known], dtype=np.uint8)
        return Categories(tuple(names), order[np.concatenate(self.codes)])


def binary_label(path: Path, name: str, found: Names, positive: str | None = None) -> Categories:
    """Return a label as codes 0 and 1, however the file writes it; `positive` names one of two texts."""
    check_whole(path, name, found, "fill in the label")
    if positive is not None:
        return _told_apart(path, name, found, positive)
    plain = _plain(found)
    pair = binary_pair(plain.values())
    if pair is None:
        known = {value for pair in BINARY for value in pair}
        strange = [text for text in found.known if plain[text] not in known]
        fault = f"mixes {', '.join(sorted(found.known))}"
        if set(plain.values()) == {"-1", "0", "1"}:
            fault += " (if 0 means undecided, remove those rows)"
        if strange:
            fault = f"holds '{strange[0]}' in row {found.rows[found.known[strange[0]]] + 1:,}"
        raise UserError(
            f"The column '{name}' of {path} {fault}, but labels with a --score are 0/1, -1/1, false/true or "
            "no/yes (or f/t, n/y), the same for the whole column; correct it, say which of two values is "
            "positive with --positive, or give class probabilities with --prob-prefix."
        )
    _check_several(path, name, set(plain.values()))
    order = np.array([plain[text] == pair[1] for text in found.known], dtype=np.uint8)
    return Categories(pair, order[np.concatenate(found.codes)])


def hard_labels(
    path: Path, label: tuple[str, Names], predicted: tuple[str, Names], positive: str | None
) -> tuple[Categories, np.ndarray, bool]:
    """Return a label, the predicted codes of its categories, and whether they are 0 and 1.

    They are if both columns hold the same pair of binary values, or `positive` names one of two texts; else
    they are classes.
    """
    for name, found in (label, predicted):
        check_whole(path, name, found, "fill in the value")
    both = Names(known=dict.fromkeys((*label[1].known, *predicted[1].known)))  # type: ignore[arg-type]
    pair = None if positive is not None else binary_pair(_plain(both).values())
    if positive is None and pair is None:
        _check_several(path, label[0], set(label[1].known))
        names = sorted(both.known)
        codes = [found.finish(names).codes for _, found in (label, predicted)]
        return Categories(tuple(names), codes[0]), codes[1], False
    if positive is not None:
        negative = _other(path, label[0], both, positive)
        texts, pair = {negative: negative, positive: positive}, (negative, positive)
    else:
        texts = _plain(both)
    assert pair is not None
    _check_several(path, label[0], {texts[text] for text in label[1].known})
    codes = [
        np.array([texts[text] == pair[1] for text in found.known], dtype=np.uint8)[
            np.concatenate(found.codes)
        ]
        for _, found in (label, predicted)
    ]
    return Categories(pair, codes[0]), codes[1], True


def _plain(found: Names) -> dict[str, str]:
    """Return each text in lower case; pandas writes 0 and 1 as 0.0 and 1.0 where a value was missing once."""
    return {text: re.sub(r"\.0+$", "", text.lower()) for text in found.known}


def _told_apart(path: Path, name: str, found: Names, positive: str) -> Categories:
    """Return a label of two texts, one of which is positive."""
    negative = _other(path, name, found, positive)
    _check_several(path, name, set(found.known))
    order = np.array([text == positive for text in found.known], dtype=np.uint8)
    return Categories((negative, positive), order[np.concatenate(found.codes)])


def _other(path: Path, name: str, found: Names, positive: str) -> str:
    """Return the one value beside the positive one."""
    others = sorted(set(found.known) - {positive})
    if positive not in found.known:
        raise UserError(
            f"The column '{name}' of {path} never holds '{positive}', which --positive names; "
            f"{nearest_names(positive, found.known)}"
        )
    if len(others) != 1:
        raise UserError(
            f"With --positive the column '{name}' of {path} has two values, but it has {len(found.known)}: "
            f"{', '.join(repr(text) for text in sorted(found.known)[:8])}; leave --positive out for classes."
        )
    return others[0]


def class_label(path: Path, name: str, prefix: str, found: Names, classes: list[str]) -> Categories:
    """Return a label as codes of the classes that there are probabilities of."""
    check_whole(path, name, found, "fill in the class")
    for text, row in zip(found.known, found.rows, strict=True):
        if text not in classes:
            raise UserError(
                f"The column '{name}' of {path} holds '{text}' in row {row + 1:,}, but there is no column "
                f"'{prefix}{text}'; {nearest_names(text, classes)}"
            )
    _check_several(path, name, set(found.known))
    return found.finish(classes)


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
