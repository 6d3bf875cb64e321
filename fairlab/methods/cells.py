"""Cells, the combinations of a target label and a group: 2·y + a is a cell's number, 0 to 3."""

import numpy as np
import torch
from torch import Tensor

from fairlab.classifiers import Batch, TrainingSet
from fairlab.core.errors import UserError

N_CELLS = 4


def cells_of(data: TrainingSet) -> np.ndarray:
    """Return the cell of each image, (n,) int64 in 0..3.

    Raises
    ------
    UserError
        If groups are unknown, several attributes are learnt, or a cell is empty: the sentence names it.
    """
    groups = data.known_groups().astype(int)
    if data.labels.shape[1] != 1 or not np.isin(data.labels, (0, 1)).all():
        raise UserError("This method needs one target with labels 0 and 1; learn one attribute at a time.")
    cells: np.ndarray = 2 * data.labels[:, 0].astype(int) + groups
    require_cells(cells)
    return cells


def require_cells(cells: np.ndarray, least: int = 1, where: str = "training") -> None:
    """Refuse cells (n,) of which one has fewer than `least` images.

    Raises
    ------
    UserError
        Naming the first such cell.
    """
    for cell, count in enumerate(counts_of(cells)):
        if count < least:
            raise UserError(
                f"The {where} images have {count} with target label {cell // 2} and protected label "
                f"{cell % 2}, and this method needs at least {least}; add images or choose other attributes."
            )


def counts_of(cells: np.ndarray) -> np.ndarray:
    """Return the number of images of each cell, (4,), of cells (n,)."""
    return np.bincount(cells, minlength=N_CELLS)


def equal_chances(cells: np.ndarray) -> np.ndarray:
    """Return chances of being drawn, (n,) with sum 1, by which all cells are equally frequent: ∝ 1/n_ya."""
    chances: np.ndarray = 1 / (N_CELLS * counts_of(cells)[cells])
    return chances


def batch_cells(batch: Batch) -> Tensor:
    """Return the cell of each image of a batch, (b,) int64."""
    assert batch.groups is not None  # by `cells_of` of the whole training set
    return 2 * batch.labels[:, 0].round().long() + batch.groups


def weighted_mean(losses: Tensor, batch: Batch) -> Tensor:
    """Return the mean of images' losses (b,), each counted by its weight."""
    return losses.mean() if batch.weights is None else torch.mean(losses * batch.weights)
