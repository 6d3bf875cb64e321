"""Intervals of groups' rates, of what sets the groups apart, and of how these change between two models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from fairlab.core.estimate import Estimate
from fairlab.metrics.groups.rates import Key
from fairlab.metrics.intervals import extremes, gaps
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.intervals.extremes import Picked, Shares
from fairlab.metrics.intervals.multiple_testing import paired_p_value
from fairlab.metrics.intervals.proportion import newcombe, wilson
from fairlab.metrics.intervals.seeds import BySeed
from fairlab.metrics.spec import DISPARITIES, RATES, DisparitySpec

_SAME = "no image tells the models apart: as wide as Wilson's interval of none"


@dataclass(frozen=True)
class Drawn:
    """Rates and disparities of one model, of the images and then of resamples, and what shares are of."""

    numbers: Mapping[Key, np.ndarray]  #: (1 + resamples,) each
    bases: Mapping[Key, float]  #: number of images, or of what is worth as much
    whole: bool  #: whether every image counts as one, so that shares are binomial

    def n(self, key: Key) -> float:
        """Return how many images a share is worth."""
        value, draws = self.numbers[key][0], self.numbers[key][1:]
        if self.whole or not 0 < value < 1 or np.isnan(draws).all() or not np.nanvar(draws):
            return self.bases[key]
        return float(value * (1 - value) / np.nanvar(draws))

    def shares(self, rate: str, groups: Sequence[str]) -> Shares:
        """Return a rate of those of the groups where it is defined."""
        keys = [(rate, group) for group in groups if not np.isnan(self.numbers[rate, group][0])]
        return Shares(
            np.array([self.numbers[key][0] for key in keys]), np.array([self.n(key) for key in keys])
        )


def rate(drawn: Drawn, key: Key) -> Estimate:
    """Return a rate of a group: a share with Wilson's interval, others with percentiles of resamples."""
    spec, values = RATES[key[0]], drawn.numbers[key]
    if spec.biased:
        folded = _mirrored(values)
        corrected = float(np.maximum(0.0, folded.value))
        return estimate_of(values[0], folded.resampled[0], spec.limits)._replace(corrected=corrected)
    if spec.base is None:
        return estimate_of(values[0], values[1:], spec.limits)
    if np.isnan(values[0]) or len(values) == 1:
        return Estimate(float(values[0]))
    low, high = wilson(values[0], drawn.n(key))
    return Estimate(float(values[0]), float(low), float(high), note=estimate_of(values[0], values[1:]).note)


def _mirrored(values: np.ndarray) -> BySeed:
    """Return what chance makes too large, (1 + resamples,), less what chance adds: see `gaps.mirrored`."""
    return gaps.mirrored(BySeed(values[:1], values[None, 1:]))


def rate_change(first: Drawn, second: Drawn, key: Key) -> Estimate:
    """Return the paired difference of a rate between two models."""
    spec, values = RATES[key[0]], second.numbers[key] - first.numbers[key]
    draws = _mirrored(values).resampled[0] if spec.biased else values[1:]
    one = estimate_of(values[0], draws)
    if spec.base is not None and one.bounded and one.low == one.value == one.high == 0:
        high = float(wilson(0.0, first.n(key))[1])
        return one._replace(low=-high, high=high, p_value=1.0, note=_SAME)
    return one._replace(p_value=paired_p_value(draws))


def signed(drawn: Drawn, name: str, groups: tuple[str, str]) -> Estimate:
    """Return by how much a share is higher in the second of two groups, with Newcombe's interval."""
    both = drawn.shares(name, groups)
    if len(both.value) < 2:
        return Estimate(math.nan)
    low, high = newcombe(both.value[0], both.n[0], both.value[1], both.n[1])
    value = float(both.value[1] - both.value[0])
    return Estimate(value, float(low), float(high), p_value=extremes.no_gap_p_value(both))


def signed_change(first: Drawn, second: Drawn, name: str, groups: tuple[str, str]) -> Estimate:
    """Return the change of `signed` between two models, on the same resamples."""
    changes = [second.numbers[name, group] - first.numbers[name, group] for group in groups]
    values = changes[1] - changes[0]
    return estimate_of(values[0], values[1:])._replace(p_value=paired_p_value(values[1:]))


def disparity(drawn: Drawn, metric: str, family: str, groups: Sequence[str]) -> Estimate:
    """Return what sets the groups of a family apart, with an interval that pays for picking among them."""
    spec, value = DISPARITIES[metric], float(drawn.numbers[metric, family][0])
    families = _families(drawn, spec, groups)
    if np.isnan(value) or len(drawn.numbers[metric, family]) == 1:
        return Estimate(value)
    picked = _picked(spec, families)
    corrected = float(spec.function(*(extremes.without_chance(shares) for shares in families)))
    return Estimate(value, picked.low, picked.high, p_value=picked.p_value, corrected=corrected)


def _families(drawn: Drawn, spec: DisparitySpec, groups: Sequence[str]) -> tuple[Shares, ...]:
    found = (drawn.shares(name, groups) for name in spec.compares)
    return tuple(shares for shares in found if len(shares.value) > (spec.picks != "lowest"))


def _picked(spec: DisparitySpec, families: tuple[Shares, ...]) -> Picked:
    if spec.picks == "gap":
        return extremes.largest_gap(families)
    return extremes.lowest_share(*families) if spec.picks == "lowest" else extremes.smallest_ratio(*families)


def disparity_change(
    first: Drawn, second: Drawn, metric: str, family: str, groups: Sequence[str]
) -> Estimate:
    """Return the change of a disparity between two models of the same images."""
    spec, both = DISPARITIES[metric], (first, second)
    old, new = (disparity(drawn, metric, family, groups) for drawn in both)
    one = Estimate(new.value - old.value, corrected=new.corrected - old.corrected)
    if not one.defined or not (old.bounded and new.bounded):
        return one._replace(corrected=math.nan)
    change, k = _compared(spec, both, groups), len(groups)
    if change is None:  # too many pairs to compare with pairs: the two intervals, each surer
        families = [_families(drawn, spec, groups) for drawn in both]
        ends = [_picked(spec, 2 * shares if spec.picks == "gap" else shares) for shares in families]
        return one._replace(low=ends[1].low - ends[0].high, high=ends[1].high - ends[0].low)
    z = extremes.sidak(k) if spec.picks == "lowest" else extremes.critical_value(k, len(spec.compares))
    low, high = change.interval(z)
    if spec.picks != "gap":
        low, high = -high, -low
    if spec.picks == "ratio":  # b - a = 2 sqrt(a b) sinh((log b - log a) / 2)
        low, high = (2 * math.sqrt(old.value * new.value) * math.sinh(end / 2) for end in (low, high))
    p_value = change.p_value(lambda z: extremes.beyond(z, k, len(spec.compares)))
    return one._replace(low=low, high=high, p_value=p_value)


def _compared(
    spec: DisparitySpec, models: tuple[Drawn, Drawn], groups: Sequence[str]
) -> extremes.Change | None:
    """Return the change of the maximum that the disparity is; None where it cannot be put so.

    A gap is the largest difference of two rates, the lowest rate the negative of the largest negative, and a
    ratio that of the largest difference of logarithms. Of very many groups there are too many pairs of pairs.
    """
    numbers = [
        np.stack([m.numbers[name, group] for name in spec.compares for group in groups]) for m in models
    ]
    rates = np.concatenate(numbers)  # (2 * rates * groups, 1 + resamples)
    if spec.picks == "ratio":
        with np.errstate(divide="ignore"):
            rates = np.log(rates)
    defined = np.isfinite(rates).all(axis=0)
    if len(groups) > extremes.MOST_COMPARED or not defined[0] or defined.sum() < 3:
        return None
    k = len(groups)
    rows = (
        -np.eye(k)
        if spec.picks == "lowest"
        else scipy.linalg.block_diag(*[extremes.pairs_of(k)] * len(spec.compares))
    )
    covariance = np.cov(rates[:, 1:][:, defined[1:]])
    half = len(rates) // 2
    return extremes.Change.of(rows, rates[:half, 0], rates[half:, 0], covariance)
