"""Accuracy, rates and disparities of groups as formulas on counts, for any number of resamples at once.

Tables have shape (..., groups, K): the number or weight of images of each true class. What is 0/0 is NaN
here: who calls says why.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import sparse

from fairlab.metrics.groups.cells import Cells

N_BINS = 15  #: equal bins of the expected calibration error

RATES: tuple[str, ...] = (
    "accuracy", "balanced_accuracy", "selection_rate", "TPR", "FPR", "FNR", "PPV", "ECE",
)  # fmt: skip
DISPARITIES: tuple[str, ...] = (
    "demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference",
    "equal_opportunity_difference", "worst_group_accuracy", "accuracy_difference",
)  # fmt: skip

#: The rates that a disparity compares between groups.
COMPARES: dict[str, tuple[str, ...]] = {
    "demographic_parity_difference": ("selection_rate",),
    "demographic_parity_ratio": ("selection_rate",),
    "equalized_odds_difference": ("TPR", "FPR"),
    "equal_opportunity_difference": ("TPR",),
    "worst_group_accuracy": ("accuracy",),
    "accuracy_difference": ("accuracy",),
}


def class_tables(cells: Cells, draws: np.ndarray, members: np.ndarray, k: int) -> np.ndarray:
    """Return the weight of the images of each class and, for each model, of those it gets right.

    Parameters
    ----------
    cells : Cells
    draws : array of shape (rows, cells)
        Counts of the cells in each resample.
    members : array of shape (combinations, groups)
        Which combinations of protected values make up which group.
    k : int
        Number of classes.

    Returns
    -------
    array of shape (1 + models, rows, groups, k)
    """
    which = np.vstack([np.ones_like(cells.right[:1]), cells.right])
    return np.stack([_sums(cells, draws, cells.weight * part, cells.y, k, members) for part in which])


def calibration_errors(cells: Cells, draws: np.ndarray, members: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return the expected calibration error, (models, rows, groups); `mass` is (rows, groups)."""
    gaps = [
        np.abs(_sums(cells, draws, cells.weight * gap, bins, N_BINS, members)).sum(axis=-1)
        for gap, bins in zip(cells.gap, cells.bins, strict=True)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(gaps) / mass


def _sums(
    cells: Cells, draws: np.ndarray, values: np.ndarray, column: np.ndarray, k: int, members: np.ndarray
) -> np.ndarray:
    """Return the sums of values by group and column, (rows, groups, k)."""
    place = cells.combination * k + column
    shape = (len(values), len(members) * k)
    sums = draws @ sparse.csr_array((values, (np.arange(len(values)), place)), shape=shape)
    return np.asarray(members.T.astype(np.float64) @ sums.reshape(len(draws), -1, k))


def rates(mass: np.ndarray, right: np.ndarray, binary: bool) -> dict[str, np.ndarray]:
    """Return the rates of each group, each (..., groups), from tables (..., groups, K)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total, recall = mass.sum(axis=-1), right / mass
        found = {"accuracy": right.sum(axis=-1) / total}
        if not binary:  # the mean over the classes that a group has
            return found | {"balanced_accuracy": np.nansum(recall, axis=-1) / (mass > 0).sum(axis=-1)}
        flagged = right[..., 1] + mass[..., 0] - right[..., 0]
        return found | {
            "balanced_accuracy": recall.mean(axis=-1),
            "selection_rate": flagged / total,
            "TPR": recall[..., 1],
            "FPR": 1 - recall[..., 0],
            "FNR": 1 - recall[..., 1],
            "PPV": right[..., 1] / flagged,
        }


def disparities(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what sets the groups apart, each (...), from the rates of a family of groups, (..., groups).

    Groups whose rate is NaN are skipped; with fewer than two left a comparison is NaN.
    """
    spread = {name: _least_and_most(found[name]) for name in found if name in ("accuracy", "selection_rate")}
    least, most = spread["accuracy"]
    accuracy = {"worst_group_accuracy": least, "accuracy_difference": _apart(found["accuracy"])}
    if "TPR" not in found:
        return accuracy
    least, most = spread["selection_rate"]
    parity = _apart(found["selection_rate"])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(np.isnan(parity), np.nan, least / most)
    opportunity, alarms = _apart(found["TPR"]), _apart(found["FPR"])
    return {
        "demographic_parity_difference": parity,
        "demographic_parity_ratio": ratio,
        "equalized_odds_difference": np.maximum(opportunity, alarms),
        "equal_opportunity_difference": opportunity,
    } | accuracy


def _least_and_most(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and largest number along the last axis, NaN where there is none."""
    return np.fmin.reduce(values, axis=-1), np.fmax.reduce(values, axis=-1)


def _apart(values: np.ndarray) -> np.ndarray:
    """Return largest - smallest along the last axis, NaN for fewer than two numbers."""
    least, most = _least_and_most(values)
    return np.where((~np.isnan(values)).sum(axis=-1) < 2, np.nan, most - least)
