"""Which columns of a table are binary labels, and why the others are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.errors import UserError

#: Ways to write a binary label: (absent, present). A column keeps to one of them.
BINARY: tuple[tuple[str, str], ...] = (
    ("0", "1"),
    ("-1", "1"),
    ("false", "true"),
    ("no", "yes"),
    ("f", "t"),
    ("n", "y"),
)
#: Of these, 0 means undecided.
THREE = frozenset({"-1", "0", "1"})
OF = "="  #: between a column of two texts and one of them, in an attribute's name
IMAGES = (
    ".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm",
    ".pfm", ".jp2", ".avif", ".heic",
)  # fmt: skip
_KNOWN = {value for pair in BINARY for value in pair}
_SHOWN = 8


def binary_pair(values: Iterable[str]) -> tuple[str, str] | None:
    """Return the pair of `BINARY` that has all of these values, in any case; None if there is none.

    >>> binary_pair(["Yes", "no"])
    ('no', 'yes')
    >>> binary_pair(["-1", "0", "1"])
    """
    lower = {value.lower() for value in values}
    return next((pair for pair in BINARY if lower <= set(pair)), None)


def undecided(column: pd.Series) -> np.ndarray:
    """Return where a label is undecided, (n,) bool: 0 in a column that holds -1, 0 and 1.

    >>> undecided(pd.Series(["-1", "0", "1", ""])).tolist()
    [False, True, False, False]
    >>> undecided(pd.Series(["0", "1"])).tolist()
    [False, False]
    """
    three = set(column.unique()) - {""} == THREE
    return np.asarray((column == "0") & three, dtype=bool)


def gaps(column: pd.Series) -> str | None:
    """Say in how many rows a label is missing or undecided, and the first; None if it is in none."""
    unsure = "is undecided (0 beside -1 and 1)"
    return missing(column) or _counted(unsure, undecided(column))


def missing(column: pd.Series) -> str | None:
    """Say in how many rows there is no value, and the first; None if there is one in all."""
    return _counted("has no value", (column == "").to_numpy())


def _counted(what: str, rows: np.ndarray) -> str | None:
    if not rows.any():
        return None
    return f"{what} in {int(rows.sum()):,} of {len(rows):,} rows, first in row {int(rows.argmax()) + 1:,}"


def label_fault(column: pd.Series) -> str | None:
    """Return why a column is no binary label, whatever it lacks; None if it is one."""
    decided = column[~undecided(column) & (column != "")]
    known = [str(value) for value in decided.unique()]
    if not known:
        return "is empty"
    if binary_pair(known) is not None:
        return None
    strange = [value for value in known if value.lower() not in _KNOWN]
    if strange:
        return f"holds '{strange[0]}' in row {int((column == strange[0]).to_numpy().argmax()) + 1:,}"
    return f"mixes {', '.join(sorted(known))}"


def binary_columns(texts: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the columns that are binary labels, and why others are none.

    Parameters
    ----------
    texts : DataFrame of str
        As `fairlab.data.tables.read_texts` returns it.

    Returns
    -------
    labels : DataFrame of uint8
        0 and 1 for each binary column. Of two texts, such as Female and Male in "gender", either may be what
        is present: such a column becomes "gender=Female" and "gender=Male".
    left_out : dict of str to str
        For each other column what is wrong with it, such as ``"holds '54' in row 1"``.
    """
    labels: dict[str, np.ndarray] = {}
    left_out: dict[str, str] = {}
    for name, column in texts.items():
        name = str(name)
        if name in labels or name in left_out:
            labels.pop(name, None)
            left_out[name] = "stands twice in the header"
        elif (fault := _fault(column)) is not None:
            left_out[name] = fault
        else:
            labels |= _labels(name, column)
    return pd.DataFrame(labels, index=texts.index), left_out


def left_out_sentence(path: Path, left_out: Mapping[str, str]) -> str:
    """Say in one line which columns are no attributes; "" if all are."""
    if not left_out:
        return ""
    shown = [f"'{name}' ({why})" for name, why in list(left_out.items())[:_SHOWN]]
    more = [f"{len(left_out) - _SHOWN} more"] if len(left_out) > _SHOWN else []
    return f"Columns of {path} that are no labels of two values are left alone: {', '.join(shown + more)}."


def file_column(path: Path, texts: pd.DataFrame, usual: str) -> str:
    """Return the column of image files: that of the usual name, else the only one with such values.

    Raises
    ------
    UserError
        If there is none, or several.
    """
    if usual in texts:
        return usual
    found = [
        str(name)
        for name, column in texts.items()
        if len(column) and column.str.lower().str.endswith(IMAGES).all()
    ]
    if len(found) == 1:
        return found[0]
    raise UserError(
        f"{path} has no column '{usual}', nor a single other one whose values all end as images do (it has "
        f"{', '.join(map(str, texts))}); name the column of the images '{usual}'."
    )


def _labels(name: str, column: pd.Series) -> dict[str, np.ndarray]:
    values = column.str.lower()
    pair = binary_pair(values.unique())
    if pair is not None:
        return {name: (values == pair[1]).to_numpy(dtype=np.uint8)}
    texts = sorted(column.unique())
    return {f"{name}{OF}{text}": (column == text).to_numpy(dtype=np.uint8) for text in texts}


def _fault(column: pd.Series) -> str | None:
    """Return why a column is no attribute: it has gaps, or is neither binary nor of two texts."""
    return gaps(column) or (None if _of_two_texts(column) else label_fault(column))


def _of_two_texts(column: pd.Series) -> bool:
    known = [str(value) for value in column.unique()]
    return len(known) == 2 and not any(value.lower() in _KNOWN or _is_number(value) for value in known)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
