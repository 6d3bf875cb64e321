"""Jackknife intervals of directions estimated from data, and of their cosine with a given one.

A direction in hundreds of dimensions is never estimated exactly, and its noise lies at right angles to almost
everything: it makes every cosine too small. A bootstrap would add as much noise again. The jackknife, which
leaves out one part of the data at a time, measures the noise without adding any.
"""

import math

import numpy as np
import pandas as pd
import scipy

from fairlab.core.errors import UserError

#: What is said of an estimated direction.
DIRECTION_METRICS: tuple[str, ...] = ("cosine", "split-half cosine", "corrected cosine")


def jackknife_interval(value: float, left_out: np.ndarray) -> tuple[float, float]:
    """Return the 95% interval of an estimate from the same estimate without each of g parts of the data.

    Parameters
    ----------
    value : float
        The estimate from all data.
    left_out : ndarray, (g,)
        Estimates without one part each; the parts are of about equal size.

    Notes
    -----
    ``value ± t sqrt((g - 1) / g Σ (left_out - mean)²)`` with Student's t for g - 1 degrees of freedom.
    Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, Chapter 11.
    """
    half = float(
        scipy.stats.t.ppf(0.975, len(left_out) - 1) * math.sqrt(_jackknife_variance(left_out[:, None]))
    )
    return value - half, value + half


def direction_agreement(normal: np.ndarray, whole: np.ndarray, left_out: np.ndarray) -> pd.DataFrame:
    """Return how far an estimated direction agrees with a given one, and with itself.

    Parameters
    ----------
    normal : ndarray, (d,)
        The given direction, of length 1.
    whole : ndarray, (d,)
        The estimate from all data, of any length.
    left_out : ndarray, (g, d)
        Estimates without one of g parts of the data each.

    Returns
    -------
    DataFrame
        Columns metric, value, low, high (95%, jackknife) and note. "cosine" is that of normal and estimate,
        -1..1. "split-half cosine" is what two estimates from half of the data each would have with each
        other: the nearer to 1, the surer the direction. "corrected cosine" is what normal and the true
        direction have with each other; it can leave -1..1 by chance, and is NaN where the estimate is hardly
        longer than its noise.

    Raises
    ------
    UserError
        If there are fewer than 2 parts, shapes do not fit, or an estimate is 0.

    Notes
    -----
    With the trace T of the jackknife's covariance, ``|whole|² - T`` estimates the squared length of the true
    direction. The share ``r = 1 - T / |whole|²`` is the estimate's reliability; a half has twice the noise,
    so halves have the cosine ``r / (2 - r)``, which Spearman (1910) and Brown (1910) turned round. The
    corrected cosine is ``cosine / sqrt(r)``: Spearman's correction for attenuation, 1904. Of regressions,
    the jackknife takes the noise for too large where there are not many more data than coefficients.
    """
    g = len(left_out)
    if g < 2 or left_out.shape[1:] != whole.shape or whole.shape != normal.shape:
        raise UserError(
            f"A direction's agreement needs estimates of shape {normal.shape} from all data and without each "
            f"of at least 2 parts; got {whole.shape} and {left_out.shape}."
        )
    if not (whole.any() and left_out.any(axis=1).all()):
        raise UserError(
            "The estimated direction has length 0, so it has no cosine; nothing differs in the data."
        )
    noise = _jackknife_variance(left_out)
    values = _agreement(normal, whole[None], noise)[:, 0]  # (3,)
    others = _agreement(normal, left_out, noise * g / (g - 1))  # (3, g): a little less data, more noise
    rows = []
    for metric, value, parts in zip(DIRECTION_METRICS, values, others, strict=True):
        low, high = jackknife_interval(float(value), parts)
        if not np.isfinite(low):  # not even a rough value: the divisor is noise
            rows.append((metric, np.nan, np.nan, np.nan, "the estimate is hardly longer than its noise"))
        else:
            rows.append((metric, float(value), low, high, ""))
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high", "note"])


def _jackknife_variance(left_out: np.ndarray) -> float:
    """Return the trace of the jackknife's covariance, of estimates (g, d)."""
    g = len(left_out)
    return float((g - 1) / g * ((left_out - left_out.mean(axis=0)) ** 2).sum())


def _agreement(normal: np.ndarray, estimates: np.ndarray, noise: float) -> np.ndarray:
    """Return DIRECTION_METRICS of each of m estimates (m, d) with this much noise: (3, m)."""
    square = (estimates**2).sum(axis=1)  # (m,)
    along = estimates @ normal
    reliability = 1 - noise / square
    reliable = np.where(reliability > 0, reliability, np.nan)
    cosine = along / np.sqrt(square)
    return np.stack([cosine, reliability / (2 - reliability), cosine / np.sqrt(reliable)])
