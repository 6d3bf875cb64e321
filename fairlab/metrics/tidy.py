"""The tidy table of metrics: its columns, its rows from resamples, and the same as text for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from fairlab.core.estimate import Estimate, markdown_table
from fairlab.metrics.intervals.bootstrap import estimate_of
from fairlab.metrics.spec import METRICS, unit_of
from fairlab.metrics.validation import cell_masses, shortage, warn_undefined

T = TypeVar("T")

COLUMNS: tuple[str, ...] = (
    "model", "attribute", "group", "metric", "value", "low", "high", "n", "n_positive", "seeds", "note",
)  # fmt: skip


class Resampled(NamedTuple):
    """`METRICS` of one classifier, or of a paired difference, averaged over training seeds."""

    value: np.ndarray  #: (metrics,)
    draws: np.ndarray  #: (resamples, metrics)
    seeds: int
    self_calibrated: bool
    is_difference: bool = False

    def __sub__(self, other: Resampled) -> Resampled:
        """Return the paired difference from another on the same resamples."""
        value, draws = self.value - other.value, self.draws - other.draws
        return self._replace(value=value, draws=draws, is_difference=True)


def with_differences(measured: Mapping[str, T], baseline: str) -> dict[str, T]:
    """Return what was measured of each model, and then the difference of each other from the baseline."""
    base, others = measured[baseline], [name for name in measured if name != baseline]
    return dict(measured) | {f"{name} - {baseline}": measured[name] - base for name in others}  # type: ignore[operator]


def tidy_table(
    resampled: Mapping[str, Resampled], y: np.ndarray, a: np.ndarray, attribute: str, groups: tuple[str, str]
) -> pd.DataFrame:
    """Return what `compare` returns, from what `resample_models` returned; warn of undefined metrics."""
    reasons = _undefined(y, a, groups)
    rows = [
        {"model": name, "attribute": attribute, "group": "all"} | row
        for name, one in resampled.items()
        for row in metric_rows(one, reasons)
    ]
    return pd.DataFrame(rows).assign(n=len(y), n_positive=int(y.sum()))[list(COLUMNS)]


def estimate_in(row: Any) -> Estimate:
    """Return the number in a row of a tidy table, in its metric's unit."""
    unit = unit_of(row.metric)
    return Estimate.of(row, unit.difference if " - " in row.model else unit)


def metric_rows(found: Resampled, reasons: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the rows of `METRICS` for the tidy table, with the reasons for what is undefined."""
    rows: list[dict[str, object]] = []
    for spec, value, draws in zip(METRICS.values(), found.value, found.draws.T, strict=True):
        limits = (-math.inf, math.inf) if found.is_difference else spec.limits
        one = estimate_of(value, 2 * value - draws if spec.too_large else draws, limits)
        notes = [one.note]
        if found.self_calibrated and spec.at_threshold:
            notes.append("threshold calibrated on these images")
        if one.value > one.high:
            notes.append("few images make the value too large; its interval allows for that")
        note = reasons.get(spec.name) or "; ".join(filter(None, notes))
        rows.append({**one._asdict(), "metric": spec.name, "seeds": found.seeds, "note": note})
    return rows


def _undefined(y: np.ndarray, a: np.ndarray, groups: tuple[str, str]) -> dict[str, str]:
    """Warn of each metric that is undefined on these images; return the reasons."""
    mass = cell_masses(y, a)
    reasons = {metric: shortage(metric, mass, groups) for metric in METRICS}
    for metric, reason in reasons.items():
        if reason:
            warn_undefined(metric, reason)
    return reasons


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
        cells = {row.model: f"{estimate_in(row):#}" for row in rows.itertuples()}
        first, label = rows.iloc[0], f"{metric} ({unit_of(str(metric)).name.strip()})"
        counts = [f"{first['n']:,} ({first['n_positive']:,})", str(first["seeds"])]
        lines.append(
            [str(attribute)] * with_attribute + [label, *(cells[model] for model in models), *counts]
        )
    return markdown_table(header, lines)
