"""Which groups others are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.groups.named_groups import Groups

LARGEST = "largest"


def references_of(texts: Sequence[str], groups: Groups) -> dict[str, str]:
    """Return the reference group of each family that has one.

    Parameters
    ----------
    texts : sequence of str
        Groups such as ``"gender = Male"``, one for a column, and ``"largest"`` for all others. Intersections
        have the group where the columns' references meet, or one named in full.
    groups : Groups

    Raises
    ------
    UserError
        If a text names no group, or two name groups of one family.
    """
    found: dict[str, str] = {}
    for text in texts:
        if text != LARGEST:
            name = _spaced(text)
            family = _family(name, groups)
            if family in found:
                raise UserError(
                    f"--reference names both '{found[family]}' and '{name}'; give one for each column."
                )
            found[family] = name
    columns = [family for family in groups.families if family != groups.finest or len(groups.families) == 1]
    met = " & ".join(found[column] for column in columns if column in found)
    if len(columns) > 1 and set(columns) <= set(found) and met in groups.names:
        found.setdefault(groups.finest, met)
    return _largest(groups) | found if LARGEST in texts else found


def reference_sentence(references: Mapping[str, str], groups: Groups) -> str:
    """Say what groups are compared with, and which families are not; "" without references."""
    if not references:
        return ""
    without = [family for family in groups.families if family not in references]
    lacking = f" No reference was given for {', '.join(without)}." if without else ""
    return f"Ratios and differences are to {', '.join(references.values())}.{lacking}"


def _family(name: str, groups: Groups) -> str:
    family = next((f for f, place in groups.families.items() if name in groups.names[place]), None)
    if family is None:
        raise UserError(
            f"--reference names the group '{name}', which there is not; "
            f"{nearest_names(name, [*groups.names, LARGEST])}"
        )
    return family


def _spaced(text: str) -> str:
    """Write ``"gender=Male"`` as groups are named."""
    parts = [part.partition("=") for part in text.split(" & ")]
    return " & ".join(
        f"{column.strip()} = {value.strip()}" if sign else column for column, sign, value in parts
    )


def _largest(groups: Groups) -> dict[str, str]:
    """Return the group of most rows in each family; of equal ones the first."""
    sizes = np.bincount(groups.codes, minlength=len(groups.members)) @ groups.members.astype(np.int64)
    return {
        family: groups.names[place][int(np.argmax(sizes[place]))] for family, place in groups.families.items()
    }
