"""From resampled metrics to the tidy table: values, intervals, and notes on what must be known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.text import markdown_table
from fairlab.metrics.intervals.bootstrap import percentile_interval
from fairlab.metrics.two_groups.ranked_cells import METRICS
from fairlab.metrics.validation import cell_masses, shortage, warn_undefined

COLUMNS: tuple[str, ...] = (
    "model", "attribute", "group", "metric", "value", "low", "high", "n", "n_positive", "seeds", "note",
)  # fmt: skip


#: Metrics shown in percent; KL is shown in nats as it is.
_PERCENT = ("AP", "AP_balanced", "DEO", "BA")
#: Ends of the range of each metric.
LIMITS = {
    "AP": (0.0, 1.0),
    "AP_balanced": (0.0, 1.0),
    "DEO": (0.0, 1.0),
    "BA": (-1.0, 1.0),
    "KL": (0.0, np.inf),
}


class Resampled(NamedTuple):
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
    estimates: Mapping[str, Resampled], y: np.ndarray, a: np.ndarray, attribute: str, groups: tuple[str, str]
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


def difference(first: Resampled, second: Resampled) -> Resampled:
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


def metric_rows(estimate: Resampled, reasons: dict[str, str]) -> list[dict[str, object]]:
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


def format_comparison(table: pd.DataFrame) -> str:
    """Return the table of `compare` (or `bootstrap`) as a Markdown table that also reads as plain text.

    Parameters
    ----------
    table : DataFrame
        What `compare` returned; several attributes may be concatenated.

    Returns
    -------
    str
        A line for each attribute and metric, a column for each model and each paired difference with its
        95% interval, and the numbers of images, positives and training seeds. AP, DEO and BA in percent
        (differences in points), KL in nats; undefined values as ``n/a (0 positives in Male)``.
    """
    models = list(dict.fromkeys(table["model"]))
    with_attribute = len(table["attribute"].unique()) > 1
    header = ["attribute"] * with_attribute + ["metric", *models, "images (positive)", "seeds"]
    lines = []
    for (attribute, metric), rows in table.groupby(["attribute", "metric"], sort=False):
        by_model = rows.set_index("model")
        first = rows.iloc[0]
        label = f"{metric} (%)" if metric in _PERCENT else str(metric)
        cells = [_cell(by_model.loc[model], str(metric), " - " in model) for model in models]
        counts = [f"{first['n']:,} ({first['n_positive']:,})", str(first["seeds"])]
        lines.append([str(attribute)] * with_attribute + [label, *cells, *counts])
    return markdown_table(header, lines)


def _cell(row: pd.Series, metric: str, is_difference: bool) -> str:
    if pd.isna(row["value"]):
        return f"n/a ({row['note']})"
    scale, digits = (100, 1) if metric in _PERCENT else (1, 2)
    sign = "+" if is_difference else ""
    value, low, high = (f"{scale * row[name]:{sign}.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
