"""The tidy table of metrics: its columns, its rows from resamples, and the same as text for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from fairlab.core.estimate import Estimate, markdown_table
from fairlab.metrics.intervals import gaps
from fairlab.metrics.intervals.bootstrap import estimate_of, percentile_interval
from fairlab.metrics.intervals.multiple_testing import paired_p_value
from fairlab.metrics.intervals.seeds import BySeed, variance
from fairlab.metrics.spec import METRICS, MetricSpec, unit_of
from fairlab.metrics.validation import cell_masses, shortage, warn_undefined

T = TypeVar("T")

COLUMNS: tuple[str, ...] = (
    "model", "attribute", "group", "metric", "value", "low", "high", "p_value", "corrected", "n",
    "n_positive", "seeds", "note",
)  # fmt: skip


class Resampled(NamedTuple):
    """Metrics of one classifier, of a paired difference, or of a mean over attributes."""

    value: np.ndarray  #: (metrics,) mean over the training seeds
    #: What intervals are made of, (seeds, metrics) and (seeds, resamples, metrics): absolute gaps counted in
    #: the observed direction, see `intervals.gaps`; what chance makes too large less what it adds.
    by_seed: BySeed
    chance: np.ndarray  #: (2, metrics) how much chance alone may add to the value, and take from it
    corrected: np.ndarray  #: (metrics,) the value without what chance adds, NaN where it adds nothing
    threshold: str  #: what must be known of the threshold
    specs: tuple[MetricSpec, ...]
    signed: BySeed | None = None  #: of one classifier what was measured, gaps with their sign
    is_difference: bool = False

    @classmethod
    def of(
        cls, signed: BySeed, *, threshold: str = "", specs: tuple[MetricSpec, ...] | None = None
    ) -> Resampled:
        """Return what was measured as `MetricSpec.measured`; by default of all `METRICS`."""
        specs = specs or tuple(METRICS.values())
        chance, corrected = np.zeros((2, len(specs))), np.full(len(specs), np.nan)
        value, by_seed = signed.value, BySeed(signed.whole.copy(), signed.resampled.copy())
        for place, spec in enumerate(specs):
            one = signed.map(lambda measured, place=place: measured[..., place])  # type: ignore[misc]
            if spec.signed is not None:
                chance[0, place], corrected[place] = gaps.added_by_chance(one), gaps.without_chance(one)
                folded = gaps.in_observed_direction(one)
                value[place] = folded.value
            elif spec.biased:
                folded = gaps.mirrored(one)
                corrected[place] = np.clip(folded.value, *spec.limits)
            else:
                continue
            by_seed.whole[:, place], by_seed.resampled[..., place] = folded
        return cls(value, by_seed, chance, corrected, threshold, specs, signed)

    def __sub__(self, other: Resampled) -> Resampled:
        """Return the paired difference from another on the same resamples."""
        by_seed = self.by_seed - other.by_seed
        # What chance adds to two gaps differs by no more than the gaps themselves may.
        reach = np.abs(by_seed.whole) + 2 * np.sqrt(variance(by_seed.resampled, axis=1))
        return self._replace(
            value=self.value - other.value,
            by_seed=by_seed,
            chance=np.minimum(self.chance + other.chance[::-1], np.nan_to_num(reach.mean(axis=0))),
            corrected=self.corrected - other.corrected,
            signed=None,
            is_difference=True,
        )


def with_differences(measured: Mapping[str, T], baseline: str) -> dict[str, T]:
    """Return what was measured of each model, and then the difference of each other from the baseline."""
    base, others = measured[baseline], [name for name in measured if name != baseline]
    return dict(measured) | {f"{name} - {baseline}": measured[name] - base for name in others}  # type: ignore[operator]


def tidy_table(
    resampled: Mapping[str, Resampled], y: np.ndarray, a: np.ndarray, attribute: str, groups: tuple[str, str]
) -> pd.DataFrame:
    """Return what `compare` returns, from what `resample_models` returned; warn of undefined metrics."""
    reasons = _undefined(next(iter(resampled.values())).specs, y, a, groups)
    rows = [
        {"model": name, "attribute": attribute, "group": group_of(spec, groups)} | row
        for name, one in resampled.items()
        for spec, row in zip(one.specs, metric_rows(one, reasons), strict=True)
    ]
    return tidy(pd.DataFrame(rows).assign(n=len(y), n_positive=int(y.sum())))


def group_of(spec: MetricSpec, groups: tuple[str, str]) -> str:
    """Return whose metric it is, as in the column "group"."""
    return "all" if spec.group is None else groups[spec.group]


def tidy(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with `COLUMNS`; those without p-value or corrected value have NaN there."""
    return rows.reindex(columns=list(COLUMNS))


def estimate_in(row: Any) -> Estimate:
    """Return the number in a row of a tidy table, in its metric's unit."""
    unit = unit_of(row.metric)
    if " - " in row.model or row.metric.endswith(" difference"):
        return Estimate.of(row, unit.difference)._replace(corrected=math.nan)
    return Estimate.of(row, unit)


def metric_rows(found: Resampled, reasons: Mapping[MetricSpec, str]) -> list[dict[str, object]]:
    """Return the rows of the metrics for the tidy table, with the reasons for what is undefined."""
    rows: list[dict[str, object]] = []
    draws = found.by_seed.draws()
    signed = draws if found.signed is None else found.signed.draws()
    for place, spec in enumerate(found.specs):
        one = _estimate(spec, found, place, draws[:, place], signed[:, place])
        note = reasons.get(spec) or "; ".join(filter(None, [one.note, *_remarks(spec, one, found)]))
        rows.append(one._asdict() | {"metric": spec.name, "seeds": len(found.by_seed.whole), "note": note})
    return rows


def _estimate(
    spec: MetricSpec, found: Resampled, place: int, draws: np.ndarray, signed: np.ndarray
) -> Estimate:
    """Return one metric with its interval, and the p-value of 0 if that is the even value."""
    value, limits = float(found.value[place]), (-math.inf, math.inf) if found.is_difference else spec.limits
    one = estimate_of(value, draws, limits)._replace(corrected=float(found.corrected[place]))
    if not one.defined or not (found.is_difference or spec.best == "zero"):
        return one
    if spec.signed is None:
        return one._replace(p_value=paired_p_value(draws))
    if found.signed is not None:  # the signed interval, folded
        low, high = percentile_interval(signed)
        one = one._replace(low=0.0 if low <= 0 <= high else one.low, high=max(one.high, -low, high))
        return one._replace(p_value=paired_p_value(signed))
    more, less = found.chance[:, place]
    low, high = np.clip((one.low - more, one.high + less), *limits)
    shifted = draws - more if value > 0 else draws + less
    return one._replace(low=float(low), high=float(high), p_value=paired_p_value(shifted))


def _remarks(spec: MetricSpec, one: Estimate, found: Resampled) -> list[str]:
    """Return what must be known of a number."""
    notes = [found.threshold] if spec.at_threshold else []
    if one.value > one.high:
        notes.append("few images make the value too large; its interval allows for that")
    return notes


def _undefined(
    specs: Sequence[MetricSpec], y: np.ndarray, a: np.ndarray, groups: tuple[str, str]
) -> dict[MetricSpec, str]:
    """Warn of each metric that is undefined on these images; return the reasons."""
    mass = cell_masses(y, a)
    reasons = {spec: shortage(spec, mass, groups) for spec in specs}
    for spec, reason in reasons.items():
        if reason:
            warn_undefined(spec.name, reason)
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
