"""From resampled metrics to the tidy table: values, intervals, and notes on what must be known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.metrics.inputs import cell_masses, shortage, warn_undefined
from fairlab.metrics.resampling import METRICS, percentile_interval

COLUMNS: tuple[str, ...] = (
    "model", "attribute", "group", "metric", "value", "low", "high", "n", "n_positive", "seeds", "note",
)  # fmt: skip


#: Ends of the range of each metric.
LIMITS = {
    "AP": (0.0, 1.0),
    "AP_balanced": (0.0, 1.0),
    "DEO": (0.0, 1.0),
    "BA": (-1.0, 1.0),
    "KL": (0.0, np.inf),
}


class Estimate(NamedTuple):
    """METRICS of one classifier, or of a difference, averaged over training seeds."""

    value: np.ndarray  # (5,)
    draws: np.ndarray  # (resamples, 5)
    seeds: int
    self_calibrated: bool
    is_difference: bool = False

    def limits(self, metric: str) -> tuple[float, float]:
        """Return the ends of the metric's range, beyond which no interval goes; a difference has none."""
        return (-np.inf, np.inf) if self.is_difference else LIMITS[metric]


def tidy_table(
    estimates: Mapping[str, Estimate], y: np.ndarray, a: np.ndarray, attribute: str, groups: tuple[str, str]
) -> pd.DataFrame:
    """Return what `compare` returns, from estimates of `estimate_models`; warn of undefined metrics."""
    reasons = _undefined(y, a, groups)
    rows = [
        {"model": name, "attribute": attribute, "group": "all"} | row
        for name, estimate in estimates.items()
        for row in metric_rows(estimate, reasons)
    ]
    table = pd.DataFrame(rows).assign(n=len(y), n_positive=int(y.sum()))
    return table[list(COLUMNS)]


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Return the paired difference of two estimates on the same resamples."""
    return first._replace(
        value=first.value - second.value, draws=first.draws - second.draws, is_difference=True
    )


def _undefined(y: np.ndarray, a: np.ndarray, groups: tuple[str, str]) -> dict[str, str]:
    """Warn of each metric that is undefined on these images; return the reason for each metric."""
    mass = cell_masses(y, a)
    reasons = {metric: shortage(metric, mass, groups) for metric in METRICS}
    for metric, reason in reasons.items():
        if reason:
            warn_undefined(metric, reason)
    return reasons


def metric_rows(estimate: Estimate, reasons: dict[str, str]) -> list[dict[str, object]]:
    """Return the rows of `METRICS` for the tidy table, with the reasons for what is undefined."""
    rows: list[dict[str, object]] = []
    for metric, value, draws in zip(METRICS, estimate.value, estimate.draws.T, strict=True):
        defined = draws[~np.isnan(draws)]
        low, high = _interval(metric, value, defined, estimate.limits(metric))
        row = {"metric": metric, "value": value, "low": low, "high": high, "seeds": estimate.seeds}
        notes = [_note(metric, len(defined), len(draws), estimate.self_calibrated)]
        if value > high:
            notes.append("few images make the value too large; its interval allows for that")
        rows.append(row | {"note": reasons[metric] or "; ".join(filter(None, notes))})
    return rows


def _interval(
    metric: str, value: float, draws: np.ndarray, limits: tuple[float, float]
) -> tuple[float, float]:
    if np.isnan(value):
        return np.nan, np.nan
    # KL has percentiles mirrored at the value: see `fairlab.metrics.bootstrap`.
    return percentile_interval(2 * value - draws if metric == "KL" else draws, *limits)


def _note(metric: str, n_defined: int, n_resamples: int, self_calibrated: bool) -> str:
    notes = []
    if n_defined < n_resamples:
        notes.append(f"{n_resamples - n_defined} of {n_resamples} resamples undefined")
    if self_calibrated and metric in ("DEO", "BA"):
        notes.append("threshold calibrated on these images")
    return "; ".join(notes)
