"""How much a class should weigh in training, from how well it does in validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.validation import as_numbers


@overload
def class_attention(
    accuracy_percent: Mapping[str, float], *, decimals: int | None = 1
) -> dict[str, float]: ...


@overload
def class_attention(accuracy_percent: pd.Series, *, decimals: int | None = 1) -> pd.Series: ...


@overload
def class_attention(accuracy_percent: ArrayLike, *, decimals: int | None = 1) -> np.ndarray: ...


def class_attention(
    accuracy_percent: Mapping[str, float] | pd.Series | ArrayLike, *, decimals: int | None = 1
) -> dict[str, float] | pd.Series | np.ndarray:
    """Return the weight of each class in training: above 1 for classes that do worse than the mean.

    Parameters
    ----------
    accuracy_percent : mapping of class to float, Series, or array of shape (classes,)
        Per cent of each class that are right, 0..100, on validation images.
    decimals : int, optional
        Digits that accuracies are rounded to first, as published; None leaves them as they are.

    Returns
    -------
    dict, Series or array as given
        Positive weights; all 1 if the classes do equally well.

    Raises
    ------
    UserError
        If an accuracy is no number from 0 to 100, or all look like fractions.

    Notes
    -----
    ``w_c = 2 ** ((mean - acc_c) / (2 std))`` with the population standard deviation over classes.
    """
    if isinstance(accuracy_percent, Mapping):
        weights = class_attention(list(accuracy_percent.values()), decimals=decimals)
        return dict(zip(accuracy_percent, weights.tolist(), strict=True))
    values = as_numbers(accuracy_percent, "accuracy_percent")
    if values.ndim != 1 or len(values) == 0 or not ((values >= 0) & (values <= 100)).all():
        raise UserError(
            f"accuracy_percent must hold one number from 0 to 100 for each class, but is {values.tolist()}."
        )
    if 0 < values.max() <= 1:
        raise UserError(f"accuracy_percent reaches only {values.max():g}; give per cent, not fractions.")
    weights = _attention(values if decimals is None else values.round(decimals))
    return pd.Series(weights, accuracy_percent.index) if isinstance(accuracy_percent, pd.Series) else weights


def _attention(accuracy: np.ndarray) -> np.ndarray:
    if np.ptp(accuracy) == 0:
        return np.ones(len(accuracy))
    return np.exp2((accuracy.mean() - accuracy) / (2 * accuracy.std()))
