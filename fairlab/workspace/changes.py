"""What differs between the images and labels of two times, in words."""

from collections.abc import Collection, Sequence

import pandas as pd

from fairlab.workspace.source import Labelled

#: Columns that are named; of more the number is said.
_SHOWN = 3


def changes(before: Labelled, now: Labelled, first: Sequence[str] = (), broken: Collection[str] = ()) -> str:
    """Say what differs between two tables of labels.

    Parameters
    ----------
    before, now : Labelled
    first : sequence of str
        Attributes to begin with: those that matter.
    broken : collection of str
        Images that were in the table then, but could not be read.

    Returns
    -------
    str
        Such as ``"1 of 600 labels of 'badge' differs, first 0017.png"``; "" if labels, split and people are
        the same.
    """
    parts = [*_images(before, now, broken), *_columns(before, now)]
    common = now.labels.index.intersection(before.labels.index)
    if len(common):
        parts += _labels(before.labels.loc[common], now.labels.loc[common], first)
        parts += _splits(before, now, common)
    return "; ".join(parts)


def _images(before: Labelled, now: Labelled, broken: Collection[str]) -> list[str]:
    new = now.labels.index.difference([*before.labels.index, *broken], sort=False)
    gone = before.labels.index.difference(now.labels.index, sort=False)
    parts = []
    for those, words in ((new, ("is new", "are new")), (gone, ("is gone", "are gone"))):
        if len(those):
            parts.append(f"{_images_of(len(those))} {words[len(those) > 1]}, first {those[0]}")
    return parts


def _images_of(n: int) -> str:
    return f"{n:,} image{'s' if n > 1 else ''}"


def _columns(before: Labelled, now: Labelled) -> list[str]:
    pairs = ((now.labels, before.labels, "new"), (before.labels, now.labels, "gone"))
    found = ((word, [str(name) for name in here if name not in there]) for here, there, word in pairs)
    return [f"{_named(names)} {'is' if len(names) == 1 else 'are'} {word}" for word, names in found if names]


def _named(names: Sequence[str]) -> str:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return (
        "the label " * (len(names) == 1)
        + "the labels " * (len(names) > 1)
        + ", ".join([*(f"'{name}'" for name in names[:_SHOWN]), *more])
    )


def _labels(before: pd.DataFrame, now: pd.DataFrame, first: Sequence[str]) -> list[str]:
    names = [*first, *(name for name in now if name not in first)]
    different = {n: before[n] != now[n] for n in names if n in now and n in before}
    changed = [(name, where) for name, where in different.items() if where.any()]
    parts = [
        f"{where.sum():,} of {len(now):,} labels of '{name}' {_differ(where.sum())}, first {where.idxmax()}"
        for name, where in changed[:_SHOWN]
    ]
    rest = [name for name, _ in changed[_SHOWN:]]
    return parts + ([f"so do labels of {len(rest)} more attributes"] if rest else [])


def _differ(n: int) -> str:
    return "differs" if n == 1 else "differ"


def _splits(before: Labelled, now: Labelled, common: pd.Index) -> list[str]:
    parts = []
    for words, then, today in (
        ("images are in another split", before.split, now.split),
        ("images are of another person", before.identity, now.identity),
    ):
        if (then is None) != (today is None):
            parts.append("people are named only " + ("now" if then is None else "then"))
        elif then is not None and today is not None:
            old = pd.Series(then, before.labels.index).loc[common]
            n = int((old != pd.Series(today, now.labels.index).loc[common]).sum())
            parts += [f"{n:,} of {len(common):,} {words}"] if n else []
    return parts
