"""Rows of a file that belong together, such as those of one person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fairlab.core.errors import UserError
from fairlab.data.tables import Column, Table

#: With more rows than this, scores are resampled in bins: a thousand resamples of rows would take minutes.
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Clusters:
    """The cluster of each of n rows, and the column that names it."""

    name: str
    codes: np.ndarray  #: (n,) integers from 0

    @property
    def design_effect(self) -> float:
        """How many rows are worth one, if those of a cluster say all the same: the mean rows of a cluster."""
        return len(self.codes) / (int(self.codes.max()) + 1)

    @property
    def sentence(self) -> str:
        """What a reader must know of intervals over clusters."""
        n, rows = int(self.codes.max()) + 1, len(self.codes)
        left_out = "" if rows <= MOST_ROWS else " AP, BA and KL of so many rows are left out."
        return (
            f"Intervals draw the {n:,} values of '{self.name}' and not the {rows:,} rows, as rows of one are "
            f"no independent observations.{left_out}"
        )


def read_clusters(path: Path, name: str) -> Clusters:
    """Read which rows belong together.

    Raises
    ------
    UserError
        If the column is missing, a value is missing, or all rows belong together.
    """
    values = pa.chunked_array([_checked(batch[name]) for batch in Table(path).batches([name])])
    encoded = values.combine_chunks().dictionary_encode()
    if len(encoded.dictionary) < 2:
        raise UserError(
            f"The column '{name}' of {path} holds only '{encoded.dictionary[0]}', so nothing is known of "
            "others; name another column with --cluster."
        )
    return Clusters(name, encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))


def _checked(column: Column) -> pa.Array:
    texts = column.texts()
    empty = pc.equal(texts, "")
    if pc.any(empty).as_py():
        raise column.fault(
            "is empty", pc.index(empty, True).as_py(), "every row needs a cluster, such as a person"
        )
    return texts
