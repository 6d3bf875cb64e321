"""p-values of many comparisons at once: among forty attributes some differ clearly by chance alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.metrics.validation import as_numbers


def paired_p_value(draws: ArrayLike, null: float = 0.0) -> float:
    """Return the two-sided bootstrap p-value of a difference from its resamples.

    Parameters
    ----------
    draws : array of shape (resamples,)
        Differences on resamples of the images; NaN are left out.
    null : float
        The difference if there is none.

    Returns
    -------
    float
        In (0, 1], at least ``2 / (resamples + 1)``; NaN without a defined resample.

    Raises
    ------
    UserError
        If draws are no numbers of shape (resamples,).

    Notes
    -----
    ``2 (1 + min(#{d <= null}, #{d >= null})) / (R + 1)``, at most 1. It falls below 5% about when the 95%
    interval leaves `null` out. Source: Davison and Hinkley, *Bootstrap Methods and their Application*, 1997,
    Section 4. For Holm's method over m comparisons draw at least 40 m resamples, else none can come out below
    5%.

    Examples
    --------
    >>> paired_p_value([0.1, 0.2, 0.3, -0.1, 0.2, 0.1, 0.3, 0.2, 0.1])
    0.4
    """
    values = as_numbers(draws, "draws")
    if values.ndim != 1:
        raise UserError(f"draws must have shape (resamples,), but has {values.shape}.")
    defined = values[~np.isnan(values)]
    if len(defined) == 0:
        return float("nan")
    beyond = min((defined <= null).sum(), (defined >= null).sum())
    return min(1.0, 2 * float(1 + beyond) / (len(defined) + 1))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Return p-values adjusted for their number, by Holm's step-down method.

    Parameters
    ----------
    p_values : array of shape (m,)
        Each in [0, 1]; NaN (undefined) stays NaN and does not count.

    Returns
    -------
    array of shape (m,)
        Calling those below α different errs anywhere with probability at most α, whatever their dependence.

    Raises
    ------
    UserError
        If values lie outside [0, 1] or the shape is another.

    Notes
    -----
    With ``p_1 <= ... <= p_m``, ``adjusted_i = min(1, max_{j <= i} (m - j + 1) p_j)``. Source: Holm, *A Simple
    Sequentially Rejective Multiple Test Procedure*, 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = as_numbers(p_values, "p_values")
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise UserError(f"p_values must lie between 0 and 1 in shape (m,), but are {p.tolist()}.")
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: int((~np.isnan(p)).sum())]  # NaN come last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def holm_column(
    table: pd.DataFrame, *, p: str = "p_value", within: Sequence[str] = ("model", "metric")
) -> pd.DataFrame:
    """Return the table with a column ``p_holm``: its p-values adjusted for the number of rows.

    Parameters
    ----------
    table : DataFrame
        A row for each comparison, such as each attribute.
    p : str
        The column of p-values.
    within : sequence of str
        Rows that agree in these columns are adjusted together: each model and metric is one question. Empty
        adjusts all rows together.

    Returns
    -------
    DataFrame
        A copy with one more column.

    Raises
    ------
    UserError
        If a column is missing or p-values are out of range.
    """
    for column in (p, *within):
        if column not in table.columns:
            raise UserError(f"The table has no column '{column}'; {nearest_names(column, table.columns)}")
    adjusted = np.full(len(table), np.nan)
    groups = table.groupby(list(within), dropna=False).indices.values() if within else [np.arange(len(table))]
    for rows in groups:
        adjusted[rows] = holm(table[p].to_numpy()[rows])
    return table.assign(p_holm=adjusted)
