"""Intervals of what is picked among groups: the largest gap, the lowest rate, the smallest ratio.

Whoever picks the largest of many gaps finds one even where there is none, so the interval of one pair of
groups does not do. Here all pairs are covered at once, which pays for the choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np
import scipy

from fairlab.metrics.intervals.proportion import newcombe, wilson

#: A change of the gap compares all pairs with all pairs; of more groups than this, the gaps' intervals alone.
MOST_COMPARED = 24
_BISECTIONS = 60


class Shares(NamedTuple):
    """Shares of k disjoint groups of images, such as the groups' true positive rates."""

    value: np.ndarray  #: (k,) in 0..1
    n: np.ndarray  #: (k,) number of images each is a share of, or the number that is worth as much

    @property
    def variance(self) -> np.ndarray:
        """Variance of each, (k,)."""
        return np.asarray(self.value * (1 - self.value) / self.n)


class Picked(NamedTuple):
    """What is known of a quantity picked among groups."""

    low: float  #: ends of its 95% interval
    high: float
    p_value: float = math.nan  #: of all groups having the same share


@cache
def critical_value(k: int, families: int = 1) -> float:
    """Return how many standard errors all differences of k shares stay within, in 95 of 100 cases.

    Of several families of shares, all at once. 1.96 for two groups; Tukey's studentized range, which Hayter
    (1984) proved to hold for unequal numbers too.
    """
    return float(scipy.stats.studentized_range.ppf(1 - 0.05 / families, k, np.inf) / math.sqrt(2))


def largest_gap(families: tuple[Shares, ...]) -> Picked:
    """Return the interval of the largest difference between two groups, in any of several families of shares.

    Its p-value is that of no difference anywhere. Differences are those of `proportion.newcombe`, made wide
    enough for all pairs by `critical_value`; of two groups the lower end is above 0 when the interval of the
    signed difference leaves out 0.
    """
    found = []
    for shares in families:
        first, second = _pairs(len(shares.value))
        z = critical_value(len(shares.value), len(families))
        ends = newcombe(shares.value[first], shares.n[first], shares.value[second], shares.n[second], z)
        found.append(Picked(max(0.0, ends[0].max()), min(1.0, ends[1].max()), no_gap_p_value(shares)))
    lows, highs, p_values = zip(*found, strict=True)
    return Picked(max(lows), max(highs), min(1.0, len(families) * min(p_values)))


def no_gap_p_value(shares: Shares) -> float:
    """Return the p-value of "all groups have the same share": it is 5% where the largest gap's interval ends.

    Also for groups with small numbers or shares of 0 and 1, as the intervals are Newcombe's.
    """
    first, second = _pairs(len(shares.value))
    apart = shares.value[second] > shares.value[first]
    if not apart.any():
        return 1.0
    first, second = first[apart], second[apart]
    least, most = np.zeros(len(first)), np.full(len(first), 40.0)
    for _ in range(_BISECTIONS):  # the number of standard errors at which each difference's interval meets 0
        z = (least + most) / 2
        low, _ = newcombe(shares.value[first], shares.n[first], shares.value[second], shares.n[second], z)
        least, most = np.where(low > 0, z, least), np.where(low > 0, most, z)
    return beyond(float(least.max()), len(shares.value))


def lowest_share(shares: Shares) -> Picked:
    """Return the interval of the lowest of the shares: that of all of them at once."""
    low, high = wilson(shares.value, shares.n, sidak(len(shares.value)))
    return Picked(float(low.min()), float(high.min()))


def smallest_ratio(shares: Shares) -> Picked:
    """Return the interval of the smallest share over the largest; its p-value is that of `no_gap_p_value`."""
    k = len(shares.value)
    low, high = wilson(shares.value, shares.n, sidak(k))
    others = ~np.eye(k, dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        lows, highs = (low[:, None] / high)[others], (high[:, None] / low)[others]
    return Picked(float(np.nanmin(lows)), float(min(1.0, np.nanmin(highs))), no_gap_p_value(shares))


def without_chance(shares: Shares) -> np.ndarray:
    """Return the shares drawn together by as much as chance alone sets them apart, (k,).

    Their variance is reduced by the mean variance of a share, as far as to 0: the method of moments. Gaps of
    them are nearly unbiased, where those of the shares themselves are too large.
    """
    spread = shares.value.var(ddof=1)
    true = max(0.0, spread - shares.variance.mean())
    centre = shares.value.mean()
    return np.asarray(centre + math.sqrt(true / spread if spread > 0 else 0.0) * (shares.value - centre))


class Change(NamedTuple):
    """Change of the maximum of m combinations of rates from one model to another, on the same images.

    With D_pq the difference of combination p of the second model and q of the first, the change is
    ``max_p min_q D_pq`` and ``min_q max_p D_pq``; bounds that all of D keep at once therefore bound it.
    """

    differences: np.ndarray  #: (m, m) D
    errors: np.ndarray  #: (m, m) standard errors of D

    @classmethod
    def of(cls, rows: np.ndarray, first: np.ndarray, second: np.ndarray, covariance: np.ndarray) -> Change:
        """Return the change of ``max(rows @ rates)``.

        Parameters
        ----------
        rows : array of shape (m, k)
            Differences of two of k rates for a gap, or each one's negative for the lowest.
        first, second : arrays of shape (k,)
            The rates of the two models.
        covariance : array of shape (2k, 2k)
            Of both together.
        """
        k = len(first)
        own = [np.einsum("pk,kl,pl->p", rows, c, rows) for c in (covariance[k:, k:], covariance[:k, :k])]
        variance = own[0][:, None] + own[1] - 2 * rows @ covariance[k:, :k] @ rows.T
        rounding = 1e-12  # of a model that is compared with itself
        errors = np.sqrt(np.where(variance > rounding, variance, 0))
        return cls((rows @ second)[:, None] - rows @ first, errors)

    def interval(self, z: float) -> tuple[float, float]:
        """Return the ends, when all differences are within z standard errors."""
        low = (self.differences - z * self.errors).max(axis=0).min()
        return float(low), float((self.differences + z * self.errors).min(axis=1).max())

    def p_value(self, beyond: Callable[[float], float]) -> float:
        """Return the p-value of no change, given how often some difference is beyond z standard errors."""
        least, most = 0.0, 40.0
        for _ in range(_BISECTIONS // 2):
            z = (least + most) / 2
            low, high = self.interval(z)
            least, most = (least, z) if low <= 0 <= high else (z, most)
        return min(1.0, beyond(least))


def beyond(z: float, k: int, families: int = 1) -> float:
    """Return how often a difference of two of k equal shares is beyond z standard errors, at most."""
    return (
        float(families * scipy.stats.studentized_range.sf(math.sqrt(2) * z, k, np.inf))
        if k > 1
        else float(2 * scipy.stats.norm.sf(z))
    )


def sidak(k: int) -> float:
    """Return how many standard errors k independent shares all stay within, in 95 of 100 cases."""
    return float(scipy.stats.norm.ppf((1 + 0.95 ** (1 / k)) / 2))


def pairs_of(k: int) -> np.ndarray:
    """Return the differences of any two of k rates as rows, (k (k - 1), k)."""
    first, second = _pairs(k)
    one_hot = np.eye(k)
    return np.asarray(one_hot[second] - one_hot[first])


def _pairs(k: int) -> np.ndarray:
    """Return the first and the second of all ordered pairs of k groups, (2, k (k - 1))."""
    return np.transpose(list(permutations(range(k), 2)))
