"""Page of an audit: tables, and pictures with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fairlab.figures.captioned import Captioned
from fairlab.figures.curves import calibration_curves
from fairlab.figures.intervals import dots
from fairlab.figures.style import INK, MODEL_LOOKS, panels, readable, styled
from fairlab.reports.page import Page, Section
from fairlab.studies.audit.categories import Categories
from fairlab.studies.audit.measure import RECALL, Measured, groups_of
from fairlab.studies.audit.references import reference_sentence
from fairlab.studies.audit.text import (
    SMALL,
    class_tables,
    gap_metrics,
    gap_table,
    own_tables,
    rate_meanings,
    rate_tables,
    reference_tables,
    rows_behind,
)
from fairlab.studies.audit.threshold_figure import threshold_scan

#: What stands in every audit, whatever the numbers.
LIMITS: tuple[str, ...] = (
    "The groups are labels that somebody gave: they are not anyone's identity, and they are often wrong or "
    "contested. People who fit none of them, and differences within a group, are not seen.",
    "Do not use these numbers to decide about people, nor as proof that a model is fair or fit for a use: "
    "they describe one file of predictions.",
    "Intervals show the chance in picking the rows; other data, other labels or another training may differ "
    "by more. One in twenty intervals misses by chance, and among many groups some gap always looks large.",
    "Gaps in predicted positives also reflect how often the label is true in each group; whether that is a "
    "fault depends on what the predictions are for.",
)
_MOST_DOTS, _MOST_PANELS, _BINS = 40, 12, 50
_RATES = {
    "FNR": ("Who is missed", "% of positives that are missed"),
    "FPR": ("Who gets false alarms", "% of negatives that are predicted positive"),
    "accuracy": ("Who is recognised", "% of rows that are right"),
}


@dataclass(frozen=True)
class AuditReport(Page):
    """What an audit found; the summary is from `fairlab.studies.audit.summary`."""

    template: ClassVar[str] = "studies/audit/page.html.j2"

    measured: Measured = field(kw_only=True)

    def context(self) -> dict[str, Any]:
        """Return the tables as text, and what their metrics mean."""
        known = set(self.table["metric"])
        measured = self.measured
        tables = [*rate_tables(measured), *reference_tables(measured), *own_tables(measured)]
        return {
            "gaps": gap_table(measured),
            "meanings": {name: spec.meaning for name, spec in gap_metrics().items() if name in known},
            "rates": rate_meanings(measured),
            "tables": tables if measured.binary else [*tables, *class_tables(measured)],
            "differences": len(measured.models) > 1,
            "notes": _reading_notes(measured),
        }


def _reading_notes(measured: Measured) -> list[str]:
    """Return what must be known to read the tables."""
    notes = []
    if measured.weights is not None:
        notes.append(measured.weights.sentence)
    if measured.references:
        notes.append(
            f"{reference_sentence(measured.references, measured.groups)} A ratio of 1 and a difference of 0 "
            "are even; a ratio to a rate of 0 is undefined."
        )
    return notes


def sections(measured: Measured) -> Iterator[Section]:
    """Yield the pictures of an audit with what they show."""
    for family in measured.groups.families:
        for rate in ("FNR", "FPR") if measured.binary else ("accuracy",):
            yield from _rate_section(measured, family, rate)
    for name, column in measured.first.protected.items():
        if measured.binary and measured.scored:
            yield Section(
                f"Scores by {readable(name)}",
                "Where the groups' scores differ for the same true label, one threshold treats them "
                "differently.",
                score_histograms(measured, name),
            )
            yield _calibration_section(measured, name)
            yield Section(
                f"Thresholds by {readable(name)}",
                "Would another threshold miss one group less, and whom would it cost?",
                threshold_scan(measured, name),
            )
        elif not measured.binary and len(column.names) <= len(MODEL_LOOKS):
            yield _class_section(measured, name)


def _rate_section(measured: Measured, family: str, rate: str) -> Iterator[Section]:
    """Yield the rates of a family of groups, unless fewer than two are large enough."""
    title, axis = _RATES[rate]
    names = list(measured.groups.names[measured.groups.families[family]])
    series = {model: _values(measured, model, rate, names) for model in measured.models}
    whole = _values(measured, next(iter(series)), rate, ["all"])["value"].iloc[0]
    first = next(iter(series.values()))
    shown = list(first.index[(rows_behind(first, rate) >= SMALL) & first["value"].notna()])
    if len(shown) < 2:
        return
    if len(shown) > _MOST_DOTS:
        shown = list(first.loc[shown].nlargest(_MOST_DOTS, "n").index)
    series = {model: values.loc[shown] for model, values in series.items()}
    hidden = len(names) - len(shown)
    left_out = f" Left out for too few rows: {hidden} of {len(names)} groups." if hidden else ""
    picture = dots(series, axis, reference=float(whole))
    yield Section(
        title=f"{title}: by {readable(family)}",
        why=f"Does {readable(family)} make a difference? The grey line is all rows, {next(iter(series))}.",
        picture=replace(picture, text=f"Largest: {picture.text}{left_out}"),
    )


def _calibration_section(measured: Measured, name: str) -> Section:
    column, model = measured.first.protected[name], next(iter(measured.models))
    largest = np.argsort(-np.bincount(column.codes, minlength=len(column.names)))[:_MOST_PANELS]
    kept = np.isin(column.codes, largest) if len(column.names) > _MOST_PANELS else slice(None)
    shown = groups_of({name: Categories(column.names, column.codes[kept])})
    picture = calibration_curves(measured.first.label.codes[kept], measured.scores(model)[kept], shown)
    return Section(
        title=f"Calibration by {readable(name)}",
        why="A score means the same in two groups only if it comes true equally often in both.",
        picture=replace(picture, text=f"{model}. {picture.text}"),
    )


def _class_section(measured: Measured, name: str) -> Section:
    column, label, model = measured.first.protected[name], measured.label, next(iter(measured.models))
    classes = measured.first.label.names
    series = {}
    for value in column.names:
        groups = [f"{name} = {value} & {label} = {each}" for each in classes]
        series[value] = _values(measured, model, RECALL, groups).set_axis(list(classes))
    picture = dots(series, f"% of the class recognised by {model}")
    return Section(
        title=f"Every class by {readable(name)}",
        why="A model that is equally right overall may fail a group in one class.",
        picture=replace(picture, text=f"Largest: {picture.text}"),
    )


@styled
def score_histograms(measured: Measured, name: str) -> Captioned:
    """Show how each model scores the groups of a column, a row per model, positives beside negatives.

    Parameters
    ----------
    measured : Measured
        Of binary labels.
    name : str
        A protected column; its five largest groups are shown.
    """
    n_models, column = len(measured.models), measured.first.protected[name]
    figure, axes = panels(n_models, 2, (9.2, 0.6 + 2.5 * n_models), sharex=True, sharey="col")
    for row, model in enumerate(measured.models):
        counts = _histograms(column, measured.first.label.codes, measured.scores(model))
        for place, (y, what) in enumerate(((1, "positives"), (0, "negatives"))):
            axis = axes[2 * row + place]
            _draw_histograms(axis, counts[:, y], column.names)
            if model in measured.thresholds:
                axis.axvline(measured.thresholds[model], color=INK, linewidth=1.2, linestyle=":")
            axis.set_title(f"{model}: {what}")
    for axis in axes[-2:]:
        axis.set_xlabel("score")
    for axis in axes[::2]:
        axis.set_ylabel("% of the group")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(MODEL_LOOKS))
    sizes = zip(column.names, np.bincount(column.codes, minlength=len(column.names)), strict=True)
    caption = f"Rows: {', '.join(f'{value} {n:,}' for value, n in sizes)}. Dotted: the threshold."
    if len(column.names) > len(MODEL_LOOKS):
        caption += f" The {len(MODEL_LOOKS)} largest groups are shown."
    alt = f"Histograms of scores in each group of {readable(name)}, for positives and for negatives"
    return Captioned(figure, caption, alt)


def _histograms(column: Categories, y: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the number of rows in each bin of [0, 1], (groups, 2, bins), indexed [group, y]."""
    cell = np.minimum((scores * _BINS).astype(np.int32), _BINS - 1)
    cell += _BINS * (2 * column.codes.astype(np.int32) + y)
    return np.bincount(cell, minlength=2 * _BINS * len(column.names)).reshape(-1, 2, _BINS)


def _draw_histograms(axis: Axes, counts: np.ndarray, names: tuple[str, ...]) -> None:
    largest = np.sort(np.argsort(-counts.sum(axis=1), kind="stable")[: len(MODEL_LOOKS)])
    edges = np.linspace(0, 1, _BINS + 1)
    for group, look in zip(largest, MODEL_LOOKS, strict=False):
        share = 100 * counts[group] / max(1, counts[group].sum())
        line: dict[str, Any] = {"color": look.colour, "linestyle": look.line, "linewidth": 1.6}
        axis.stairs(share, edges, label=readable(names[group]), **line)


def _values(measured: Measured, model: str, metric: str, groups: list[str]) -> pd.DataFrame:
    """Return value, low, high, n and n_positive of the groups, in their order."""
    rows = measured.rows(model, metric)
    return rows[["value", "low", "high", "n", "n_positive"]].reindex(groups)
