"""Representation of categories in a data set: shares, diversity and evenness.

Such labels are annotators' (or a program's) impressions of people in pictures, not who they are.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.intervals.proportion import proportion
from fairlab.metrics.tidy import COLUMNS
from fairlab.metrics.validation import as_numbers, check_resamples, warn_undefined


def shannon_diversity(counts: ArrayLike) -> float:
    """Return Shannon's ``H = -Σ p ln p`` in nats, 0 (one category) to ln S (S equal ones).

    Parameters
    ----------
    counts : array of shape (S,)
        Images of each category, not negative; an empty category counts in S.

    Raises
    ------
    UserError
        If counts are negative, not finite, or all zero.

    Notes
    -----
    Shannon, *A Mathematical Theory of Communication* (1948).

    Examples
    --------
    >>> shannon_diversity([10, 10]), shannon_evenness([10, 10])
    (0.6931471805599453, 1.0)
    """
    return float(_shannon(_shares(counts)))


def shannon_evenness(counts: ArrayLike) -> float:
    """Return ``H / ln S``, 0 to 1 (all equal); NaN with a warning for a single category.

    Parameters and errors as `shannon_diversity`. Source: Pielou (1966).
    """
    shares = _shares(counts)
    if len(shares) == 1:
        warn_undefined("Shannon evenness", "1 category")
    return float(_shannon_evenness(shares))


def simpson_diversity(counts: ArrayLike) -> float:
    """Return Simpson's ``D = 1 / Σ p²``, 1 (one category) to S: as many equal categories are as diverse.

    Parameters and errors as `shannon_diversity`. Simpson, *Measurement of Diversity* (Nature, 1949).

    Examples
    --------
    >>> simpson_diversity([10, 10, 10, 10]), simpson_evenness([10, 10, 10, 10])
    (4.0, 1.0)
    """
    return float(_simpson(_shares(counts)))


def simpson_evenness(counts: ArrayLike) -> float:
    """Return ``D / S``, 1/S (one category has everything) to 1 (all equal).

    Parameters and errors as `shannon_diversity`.
    """
    return float(_simpson_evenness(_shares(counts)))


def representation(
    labels: pd.Series | ArrayLike, *, n_resamples: int = 1000, seed: int = 0, attribute: str = ""
) -> pd.DataFrame:
    """Return each category's share, and diversity and evenness of them all, with 95% intervals.

    Parameters
    ----------
    labels : Series or array of shape (n,)
        Each image's category. Of a pandas categorical, categories without images count too.
    n_resamples, seed : int
        Of the bootstrap.
    attribute : str
        Name of the label for the table; that of the Series when empty.

    Returns
    -------
    DataFrame
        The columns of `compare`: a row "share" (0..1) for each category, named in `group`, the commonest
        first, then the four indices for "all". `n` counts the images, `n_positive` the category's.

    Raises
    ------
    UserError
        If there are no labels, or some are missing.

    Notes
    -----
    Shares have Wilson's interval, the indices percentiles over multinomial resamples of the counts. Resamples
    are a little less diverse than the sample, so where images are few, or categories all alike, the interval
    lies low and may end below the value; the note then says so.
    """
    series = pd.Series(labels) if isinstance(labels, pd.Series) else _as_series(labels)
    if series.empty or series.isna().any():
        raise UserError(
            f"The labels must name a category for every image, but {series.isna().sum()} of {len(series)} "
            "are missing; leave those images out, or give them a category of their own."
        )
    check_resamples(n_resamples)
    counts = series.value_counts()
    table = pd.DataFrame(_share_rows(counts) + _index_rows(counts.to_numpy(), n_resamples, seed))
    table = table.assign(model="", attribute=attribute or str(series.name or ""), seeds=1)
    return table[list(COLUMNS)]


def _as_series(labels: ArrayLike) -> pd.Series:
    values = np.asarray(labels)
    if values.ndim != 1:
        raise UserError(f"The labels must have shape (n,), one per image, but have {values.shape}.")
    return pd.Series(values)


def _share_rows(counts: pd.Series) -> list[dict[str, object]]:
    n = int(counts.sum())
    return [
        {"metric": "share", "group": str(category), "n_positive": int(count)}
        | proportion(int(count), n)._asdict()
        for category, count in counts.items()
    ]


def _index_rows(counts: np.ndarray, n_resamples: int, seed: int) -> list[dict[str, object]]:
    n = int(counts.sum())
    shares = counts / n  # (S,)
    draws = np.random.default_rng(seed).multinomial(n, shares, size=n_resamples) / n  # (resamples, S)
    rows = []
    for name, index in _INDICES.items():
        found = estimate_of(float(index(shares)), index(draws), n=n)
        note = "resamples are less diverse" if found.value > found.high else ""
        if not found.defined:
            note = "1 category"
            warn_undefined(name, note)
        rows.append({"metric": name, "group": "all", "n_positive": n, **found._asdict(), "note": note})
    return rows


def _shares(counts: ArrayLike) -> np.ndarray:
    """Return shares, (S,), or say what is wrong with the counts."""
    numbers = as_numbers(counts, "counts")
    if numbers.ndim != 1 or len(numbers) == 0:
        raise UserError(f"counts must have shape (S,), one for each category, but have {numbers.shape}.")
    wrong = ~(np.isfinite(numbers) & (numbers >= 0))
    if wrong.any():
        raise UserError(
            f"counts must be finite and not negative, but category {wrong.argmax()} has {numbers[wrong][0]}."
        )
    if numbers.sum() == 0:
        raise UserError("counts are all zero; count at least one image.")
    return numbers / numbers.sum()


def _shannon(shares: np.ndarray) -> np.ndarray:
    """(..., S) -> (...)."""
    return np.abs(
        scipy.special.xlogy(shares, shares).sum(axis=-1)
    )  # abs: a sum of -0.0 and rounding, no minus sign


def _shannon_evenness(shares: np.ndarray) -> np.ndarray:
    if shares.shape[-1] == 1:
        return np.full(shares.shape[:-1], np.nan)
    return _shannon(shares) / np.log(shares.shape[-1])


def _simpson(shares: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (shares**2).sum(axis=-1))


def _simpson_evenness(shares: np.ndarray) -> np.ndarray:
    return _simpson(shares) / shares.shape[-1]


_INDICES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Shannon diversity": _shannon,
    "Shannon evenness": _shannon_evenness,
    "Simpson diversity": _simpson,
    "Simpson evenness": _simpson_evenness,
}
