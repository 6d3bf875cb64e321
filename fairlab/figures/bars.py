"""Bars and areas: a table of labels, metrics before and after, classes."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fairlab.core.errors import UserError, nearest_names
from fairlab.core.estimate import PERCENT, Estimate, number, percent
from fairlab.figures import tables
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import (
    FAINT,
    INK,
    MODEL_LOOKS,
    TARGET_LOOKS,
    Look,
    check_lengths,
    model_look,
    model_name,
    panels,
    readable,
    share_of,
    styled,
    with_or_without,
)
from fairlab.metrics.groups.classes import CLASSES, JOINT


@styled
def label_table(
    target_labels: np.ndarray, protected_labels: np.ndarray, *, target: str, protected: str
) -> Captioned:
    """Show the 2×2 table of labels as areas: columns as wide as the groups, split by the target's share.

    Where the two splits are level, target and protected label are independent.

    Parameters
    ----------
    target_labels, protected_labels : (n,) arrays of 0 and 1
    target, protected : str
    """
    check_lengths(target_labels=target_labels, protected_labels=protected_labels)
    figure, (axis,) = panels(1, 1, (6.4, 3.8))
    left, gap = 0.0, 0.015
    for a, name in enumerate(with_or_without(protected)):
        group = target_labels[protected_labels == a]
        width = len(group) / len(target_labels)
        _mosaic_column(axis, left, width, group, with_or_without(target))
        axis.text(left + width / 2, 1.03, f"{name}\n{len(group):,}", ha="center", va="bottom", weight="bold")
        left += width + gap
    axis.set(xlim=(-0.01, 1 + gap + 0.01), ylim=(0, 1.2))
    axis.set_axis_off()
    names = {"target": target, "protected": protected}
    caption = target_shares(target_labels, protected_labels, **names)
    return Captioned(figure, caption, f"Table of {readable(target)} by {readable(protected)} as areas")


def target_shares(
    target_labels: np.ndarray, protected_labels: np.ndarray, *, target: str, protected: str
) -> str:
    """Say the target's share in each protected group; arguments as for `label_table`."""
    shares = [share_of(target_labels[protected_labels == a]) for a in (0, 1)]
    without, with_ = with_or_without(protected)
    return (
        f"{percent(shares[0])} of the faces labelled {without} are labelled {readable(target)}, "
        f"against {percent(shares[1])} of those labelled {with_} ({len(target_labels):,} faces)."
    )


def _mosaic_column(axis: Axes, left: float, width: float, group: np.ndarray, names: tuple[str, str]) -> None:
    share = float(np.mean(group)) if len(group) else 0.0
    for t, bottom, height in ((1, 0.0, share), (0, share, 1 - share)):
        count = int(np.sum(group == t))
        look = TARGET_LOOKS[t]
        box: dict[str, Any] = {
            "facecolor": look.colour,
            "edgecolor": "white",
            "alpha": 0.85,
            "hatch": look.hatch,
        }
        axis.add_patch(Rectangle((left, bottom), width, height, **box))
        text = f"{names[t]}\n{count:,} ({100 * count / max(1, len(group)):.0f}%)"
        background = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "boxstyle": "round,pad=0.25"}
        axis.text(left + width / 2, bottom + height / 2, text, ha="center", va="center", bbox=background)


@styled
def metric_bars(table: pd.DataFrame) -> Captioned:
    """Show every metric before and after de-biasing, with 95% intervals, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        Tidy, as in `fairlab.figures.tables`.
    """
    attributes = list(dict.fromkeys(table["attribute"]))
    rows = [change for attribute in attributes for change in tables.changes(table, attribute)]
    metrics = list(dict.fromkeys(change.metric for change in rows))
    few = len(attributes) <= 3
    columns = 3 if few else 1
    lines = math.ceil(len(metrics) / columns)
    size = (10.0, 3.2 * lines + 0.3) if few else (max(7.0, 0.5 * len(attributes)), 1.7 * lines + 1.8)
    figure, axes = panels(lines, columns, size, sharex=not few)
    for axis in axes[len(metrics) :]:
        axis.set_axis_off()
    for axis, metric in zip(axes, metrics, strict=False):
        _metric_panel(axis, [change for change in rows if change.metric == metric], numbers=few)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    sentences = [
        f"{readable(attribute)}, baseline → de-biased: "
        f"{', '.join(_before_after(row) for row in rows if row.attribute == attribute)}."
        for attribute in attributes
    ]
    caption = " ".join([*sentences, "Whiskers are 95% intervals."])
    return Captioned(figure, caption, "Bars of each metric, baseline beside de-biased")


def _before_after(row: tables.Change) -> str:
    before, after = (number(part.value, row.spec.unit) for part in (row.before, row.after))
    return f"{row.short} {before} → {after} ({row.verdict})"


def _metric_panel(axis: Axes, rows: list[tables.Change], numbers: bool) -> None:
    about = rows[0].spec
    for offset, model in ((-0.2, tables.BASELINE), (0.2, tables.DEBIASED)):
        look = model_look([], model)
        for place, row in enumerate(rows):
            shown = row.before if model == tables.BASELINE else row.after
            _bar(axis, place + offset, shown, look, numbers)
        axis.bar(0, 0, color=look.colour, hatch=look.hatch, edgecolor="white", label=model_name(model))
    if not any(row.before.defined or row.after.defined for row in rows):
        axis.set(ylim=(0, 1), yticks=[])
    axis.axhline(0, color=FAINT, linewidth=0.8)
    axis.set(title=about.label, ylabel=about.unit.name.strip(), xlim=(-0.6, len(rows) - 0.4))
    axis.grid(axis="y")
    axis.margins(y=0.16)
    if len(rows) == 1:
        axis.set(xticks=[], xlim=(-0.75, 0.75))
        axis.set_xlabel(_difference_words(rows[0]), fontsize=9, linespacing=1.5)
    else:
        names = [readable(row.attribute) for row in rows]
        turned: dict[str, Any] = {} if numbers else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axis.set_xticks(range(len(rows)), names, **turned)


def _bar(axis: Axes, x: float, shown: Estimate, look: Look, numbers: bool) -> None:
    if not shown.defined:
        axis.annotate("n/a", (x, 0), (0, 5), textcoords="offset points", ha="center", color=FAINT)
        return
    value, low, high = (shown.unit.scale * part for part in shown[:3])
    axis.bar(x, value, width=0.36, color=look.colour, hatch=look.hatch, edgecolor="white", linewidth=0)
    axis.plot([x, x], [low, high], color=INK, linewidth=1.4, marker="_", markersize=9)
    if numbers:
        top = value if math.isnan(high) else max(high, 0.0)
        text = number(shown.value, shown.unit)
        axis.annotate(text, (x, top), (0, 5), textcoords="offset points", ha="center", weight="bold")


def _difference_words(row: tables.Change) -> str:
    return f"difference {row.difference:#}\n{row.verdict}"


@styled
def class_bars(table: pd.DataFrame, *, attribute: str = JOINT) -> Captioned:
    """Show how many of each class are right, with 95% intervals, models side by side.

    Parameters
    ----------
    table : DataFrame
        As `per_class_table` or `compare_classes`; rows of differences are left out.
    attribute : str
        The label that must be right; ``"joint"`` for all.

    Raises
    ------
    UserError
        If the table has no classes of this attribute, or more than 5 models.
    """
    by_model = _class_rows(table, attribute)
    classes = list(next(iter(by_model.values())).index)
    size = (7.6, 1.1 + (0.14 + 0.17 * len(by_model)) * len(classes))
    figure, (axis,) = panels(1, 1, size)
    width = 0.8 / len(by_model)
    for place, (model, rows) in enumerate(by_model.items()):
        at = np.arange(len(classes)) + width * (place - (len(by_model) - 1) / 2)
        _class_bars(axis, at, rows, width, model_look(list(by_model), model), model_name(model))
    images = next(iter(by_model.values()))["n"]
    axis.set_yticks(range(len(classes)), [f"{readable(name)} ({images[name]:,})" for name in classes])
    axis.set(
        xlabel=f"{_right(attribute)}, % (beside names: images of the class)", ylim=(len(classes) - 0.5, -0.5)
    )
    axis.set_xlim(0, 100)
    axis.grid(axis="x")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    about = f"Share with {_right(attribute)} in each class, with 95% intervals."
    sentences = [_worst_and_best(model, rows) for model, rows in by_model.items()]
    return Captioned(figure, " ".join([about, *sentences]), f"Bars: {_right(attribute)} in each class")


def _class_rows(table: pd.DataFrame, attribute: str) -> dict[str, pd.DataFrame]:
    """Return the rows of classes of each model, by class."""
    known = list(dict.fromkeys(table["attribute"]))
    if attribute not in known:
        raise UserError(f"The table has no attribute '{attribute}'; {nearest_names(attribute, known)}")
    keep = (table["attribute"] == attribute) & (table["metric"] == "accuracy")
    rows = table[keep & ~table["group"].isin(["all", CLASSES]) & ~tables.differences(table)]
    models = list(dict.fromkeys(rows["model"]))
    if not models or len(models) > len(MODEL_LOOKS):
        raise UserError(f"A figure of classes shows 1 to {len(MODEL_LOOKS)} models, not {len(models)}.")
    return {model: rows[rows["model"] == model].set_index("group") for model in models}


def _worst_and_best(model: str, rows: pd.DataFrame) -> str:
    values = rows["value"].to_numpy(dtype=float)
    worst, best = int(values.argmin()), int(values.argmax())
    names = [readable(str(name)) for name in rows.index]
    return (
        f"{model_name(model)}: {names[worst]} is worst with {Estimate.of(rows.iloc[worst], PERCENT)}, "
        f"{names[best]} best with {percent(values[best])}; standard deviation over classes "
        f"{100 * values.std():.1f} points."
    )


def _class_bars(axis: Axes, at: np.ndarray, rows: pd.DataFrame, width: float, look: Look, label: str) -> None:
    values, low, high = (100 * rows[column].to_numpy(dtype=float) for column in ("value", "low", "high"))
    bars: dict[str, Any] = {"color": look.colour, "hatch": look.hatch, "edgecolor": "white", "linewidth": 0}
    axis.barh(at, values, height=width, label=label, **bars)
    axis.hlines(at, low, high, color=INK, linewidth=1.2)
    axis.plot(values, at, look.marker, color=look.colour, markeredgecolor=INK, markersize=4.5)


def _right(attribute: str) -> str:
    return "all labels right" if attribute == JOINT else f"{readable(attribute)} right"
