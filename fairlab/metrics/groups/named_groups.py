"""Named groups of images: the values of protected columns, and their intersections."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import encode, joint_cells

#: One protected column, or several by name.
Protected: TypeAlias = "ArrayLike | pd.Series | pd.DataFrame | Mapping[str, ArrayLike] | Groups"
#: Names of the groups of one column: in the order of its sorted values, or by value.
GroupNames: TypeAlias = Sequence[str] | Mapping[Any, str]

#: Family of the groups of a column that has no name.
UNNAMED = "all"
_MOST_VALUES = 256


@dataclass(frozen=True)
class Groups:
    """Groups of n images, in families: each protected column is one, and the intersections are another.

    Each image has one combination of values; a group is a set of combinations.
    """

    codes: np.ndarray  #: (n,) small integers: the combination of each image
    names: tuple[str, ...]  #: of the g groups, such as ``"gender = Female & race = Black"``
    members: np.ndarray  #: (combinations, g) bool: which combinations make up which group
    families: Mapping[str, slice]  #: where the groups of a family stand among the names

    @classmethod
    def of(
        cls, protected: Protected, *, intersections: bool = True, names: GroupNames | None = None
    ) -> Groups:
        """Return the groups of one or several protected columns.

        Parameters
        ----------
        protected : array of shape (n,), Series, DataFrame, mapping of name to array, or Groups
            Numbers or strings, at most 256 different ones a column. Groups are returned as they are.
        intersections : bool
            Whether several columns also give the groups that share a value in every column. Combinations
            without images give none.
        names : sequence of str or mapping of value to str, optional
            Names of the groups of a single column. Otherwise ``"gender = Female"``, and for an array without
            a name ``"group 0"`` for numbers and the value itself for strings.

        Returns
        -------
        Groups
            Families are named after the columns, the intersections ``"gender & race"``; that of an array
            without a name is ``"all"``.

        Raises
        ------
        UserError
            If columns are empty, differ in length, miss values or have too many, or names do not fit.

        Examples
        --------
        >>> Groups.of([0, 1, 1]).names
        ('group 0', 'group 1')
        """
        if isinstance(protected, Groups):
            return protected
        columns = _columns(protected)
        if names is not None and len(columns) > 1:
            raise UserError(f"Names of groups can be given for one protected column, not for {len(columns)}.")
        encoded = [_encoded(name, values) for name, values in columns.items()]
        texts = [_names(name, values, names) for name, (_, values) in zip(columns, encoded, strict=True)]
        codes, table = joint_cells([ranks for ranks, _ in encoded])
        families = dict(zip(columns, texts, strict=True))
        parts = [part[:, None] == np.arange(len(text)) for part, text in zip(table.T, texts, strict=True)]
        if intersections and len(columns) > 1:
            families[" & ".join(columns)] = [
                " & ".join(text[i] for text, i in zip(texts, row, strict=True)) for row in table
            ]
            parts.append(np.eye(len(table), dtype=bool))
        every = tuple(itertools.chain(*families.values()))
        if len(set(every)) < len(every):
            raise UserError(f"Two groups have the same name; give each its own: {', '.join(every)}.")
        return cls(codes, every, np.hstack(parts), _places(families))

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self.names)

    @property
    def finest(self) -> str:
        """The family that tells most apart: the intersections where there are any."""
        return list(self.families)[-1]

    def mask(self, name: str) -> np.ndarray:
        """Return which images belong to a group, (n,) bool."""
        return self.members[:, self.names.index(name)][self.codes]


def _places(families: Mapping[str, list[str]]) -> dict[str, slice]:
    """Return where the groups of each family stand among all names."""
    ends = itertools.accumulate(len(names) for names in families.values())
    return {
        family: slice(end - len(names), end)
        for (family, names), end in zip(families.items(), ends, strict=True)
    }


def _columns(protected: Any) -> dict[str, np.ndarray]:
    """Return the columns as arrays of one length, by name."""
    if isinstance(protected, pd.Series) and protected.name is not None:
        protected = {str(protected.name): protected}
    if not isinstance(protected, pd.DataFrame | Mapping):
        protected = {UNNAMED: protected}
    columns = {str(name): np.asarray(protected[name]) for name in protected}
    if not columns:
        raise UserError("There is no protected column; give at least one.")
    shapes = {name: values.shape for name, values in columns.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise UserError(
            f"Protected columns must all have shape (n,), one value per image, but have {shapes}; "
            "pass several columns as a DataFrame."
        )
    return columns


def _encoded(name: str, values: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    codes, found = encode(values, "protected" if name == UNNAMED else f"protected column '{name}'")
    if len(found) > _MOST_VALUES:
        raise UserError(
            f"Protected column '{name}' has {len(found)} different values; at most {_MOST_VALUES} groups can "
            "be told apart: put them into ranges first, as with pandas.cut."
        )
    return codes, found


def _names(column: str, values: list[Any], names: GroupNames | None) -> list[str]:
    """Return a readable name for each value of a column."""
    if isinstance(names, Mapping):
        missing = [value for value in values if value not in names]
        if missing:
            raise UserError(f"There is no name for the group {missing[0]!r}; names are given for {[*names]}.")
        return [names[value] for value in values]
    if names is not None:
        if values in ([0], [1]) and len(names) == 2:  # of two groups only one occurs
            return [names[int(values[0])]]
        if len(names) != len(values):
            raise UserError(f"There are {len(values)} groups ({values}) but {len(names)} names.")
        return [str(name) for name in names]
    texts = [_text(value) for value in values]
    if column != UNNAMED:
        return [f"{column} = {text}" for text in texts]
    return [
        text if isinstance(value, str) else f"group {text}" for value, text in zip(values, texts, strict=True)
    ]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
