"""Figures of many classes, groups and models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.core.estimate import PERCENT, Estimate, percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.reliability import reliability
from fairlab.figures.style import (
    BLUE,
    FAINT,
    INK,
    MODEL_LOOKS,
    MODEL_NAMES,
    Look,
    model_look,
    model_name,
    panels,
    readable,
    styled,
)
from fairlab.metrics.groups.classes import CLASSES, JOINT
from fairlab.metrics.groups.named_groups import GroupNames, Protected

_MOST_PANELS = 24


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


@styled
def calibration_curves(
    y_true: ArrayLike,
    y_score: ArrayLike,
    protected: Protected,
    *,
    groups: GroupNames | None = None,
    n_bins: int = 10,
) -> Captioned:
    """Show for each group how often scores come true, with 95% intervals and the images in each bin.

    Parameters
    ----------
    y_true, y_score, protected, groups, n_bins
        As `reliability`.

    Raises
    ------
    UserError
        As `reliability`, and if there are more than 24 groups.
    """
    table = reliability(y_true, y_score, protected, groups=groups, n_bins=n_bins)
    names = list(dict.fromkeys(table["group"]))
    if len(names) > _MOST_PANELS:
        raise UserError(
            f"A figure shows at most {_MOST_PANELS} groups, not {len(names)}; choose some of them."
        )
    columns = min(4, len(names))
    rows = math.ceil(len(names) / columns)
    size = (max(4.0, 2.7 * columns), 0.6 + 2.7 * rows)
    figure, axes = panels(rows, columns, size, sharex=True, sharey=True)
    for axis, name in zip(axes, names, strict=False):
        _calibration_panel(axis, table[table["group"] == name], name, 1 / n_bins)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    for axis in axes[max(0, len(names) - columns) : len(names)]:
        axis.tick_params(labelbottom=True)
    figure.supxlabel("score", fontsize=10)
    figure.supylabel("share of positives", fontsize=10)
    return Captioned(
        figure, _errors_of_scores(table), "How often scores come true, bin by bin, in each group"
    )


def _errors_of_scores(table: pd.DataFrame) -> str:
    """Say which way the scores of each group err on average."""
    sentences = []
    for name, rows in table.groupby("group", sort=False):
        n = rows["n"].sum()
        scored, found = ((rows[column] * rows["n"]).sum() / n for column in ("score", "value"))
        sentences.append(f"{name}: mean score {percent(scored)}, positives {percent(found)} ({n:,} images).")
    return (
        "On the dotted line scores come true as often as they say; below it they are too high. Upright "
        "lines: 95% intervals; bars: images in each bin, the tallest as numbered. " + " ".join(sentences)
    )


@styled
def trade_off(table: pd.DataFrame, *, attribute: str = "", group: str = "all") -> Captioned:
    """Show average precision against the difference in equality of opportunity, a point for each model.

    Parameters
    ----------
    table : DataFrame
        As `compare`, with rows of the metrics AP and DEO; rows of differences are left out.
    attribute, group : str
        Which rows to show.

    Raises
    ------
    UserError
        If there are no such rows, or more than 10 models.
    """
    points = _trade_off_points(table, attribute, group)
    figure, (axis,) = panels(1, 1, (6.4, 4.4))
    usual = MODEL_NAMES if set(MODEL_NAMES) & set(points.index) else {}
    order = list(dict.fromkeys([*usual, *points.index]))
    for model, row in points.iterrows():
        place = order.index(model)
        look, hollow = MODEL_LOOKS[place % len(MODEL_LOOKS)], place >= len(MODEL_LOOKS)
        values, ends = row.loc[["DEO", "AP"]], row.loc[["DEO low", "DEO high", "AP low", "AP high"]]
        x, y = map(float, values)
        errors = np.maximum(0, np.abs(ends.to_numpy(dtype=float).reshape(2, 2) - [[x], [y]]))
        marks: dict[str, Any] = {"fmt": look.marker, "color": look.colour, "markersize": 8, "linewidth": 1.1}
        marks |= {"markerfacecolor": "white"} if hollow else {}
        axis.errorbar(x, y, xerr=errors[:1].T, yerr=errors[1:].T, label=model_name(str(model)), **marks)
    axis.set(xlabel="gap in missed faces (DEO), points: left is fairer", ylabel="AP, %: up is better")
    axis.set_xlim(left=min(0.0, axis.get_xlim()[0]))
    axis.grid()
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper")
    return Captioned(figure, _unbeaten(points), "Average precision against DEO, a point for each model")


def _unbeaten(points: pd.DataFrame) -> str:
    """Say which models no other beats in both AP and DEO."""
    names = [model_name(str(model)) for model in points.index]
    precision, gap = (points[metric].to_numpy(dtype=float) for metric in ("AP", "DEO"))
    best, fairest = int(precision.argmax()), int(gap.argmin())
    unbeaten = [
        name for i, name in enumerate(names) if not ((precision > precision[i]) & (gap < gap[i])).any()
    ]
    return (
        f"Lines: 95% intervals. {names[best]} has the highest AP ({precision[best]:.1f}%), {names[fairest]} "
        f"the smallest DEO ({gap[fairest]:.1f} points). Not beaten in both at once, leaving the intervals "
        f"aside: {', '.join(unbeaten)}."
    )


def _class_rows(table: pd.DataFrame, attribute: str) -> dict[str, pd.DataFrame]:
    """Return the rows of classes of each model, by class."""
    known = list(dict.fromkeys(table["attribute"]))
    if attribute not in known:
        raise UserError(f"The table has no attribute '{attribute}'; {nearest_names(attribute, known)}")
    keep = (table["attribute"] == attribute) & (table["metric"] == "accuracy")
    rows = table[keep & ~table["group"].isin(["all", CLASSES]) & ~_differences(table)]
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


def _differences(table: pd.DataFrame) -> pd.Series:
    return table["model"].str.contains(" - ", regex=False)


def _class_bars(axis: Axes, at: np.ndarray, rows: pd.DataFrame, width: float, look: Look, label: str) -> None:
    values, low, high = (100 * rows[column].to_numpy(dtype=float) for column in ("value", "low", "high"))
    bars: dict[str, Any] = {"color": look.colour, "hatch": look.hatch, "edgecolor": "white", "linewidth": 0}
    axis.barh(at, values, height=width, label=label, **bars)
    axis.hlines(at, low, high, color=INK, linewidth=1.2)
    axis.plot(values, at, look.marker, color=look.colour, markeredgecolor=INK, markersize=4.5)


def _right(attribute: str) -> str:
    return "all labels right" if attribute == JOINT else f"{readable(attribute)} right"


def _calibration_panel(axis: Axes, rows: pd.DataFrame, name: str, width: float) -> None:
    shown = rows[rows["n"] > 0]
    errors = np.abs(shown[["low", "high"]].to_numpy().T - shown["value"].to_numpy())
    share = 0.22 * rows["n"] / rows["n"].max()
    axis.bar(rows["left"], share, width=width, align="edge", color="#D9DDE2", edgecolor="white")
    axis.axline((0, 0), slope=1, color=FAINT, linewidth=1, linestyle=":")
    marks: dict[str, Any] = {"fmt": "o-", "color": BLUE, "markersize": 4.5, "linewidth": 1.3}
    axis.errorbar(shown["score"], shown["value"], yerr=errors, **marks)
    tallest = int(rows["n"].to_numpy().argmax())
    at = (float(rows["left"].iloc[tallest]) + width / 2, 0.225)
    axis.annotate(f"{rows['n'].max():,}", at, ha="center", va="bottom", fontsize=8, color=FAINT)
    axis.set(xlim=(0, 1), ylim=(0, 1.02), title=f"{readable(name)}\n{rows['n'].sum():,} images")
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.grid()


def _trade_off_points(table: pd.DataFrame, attribute: str, group: str) -> pd.DataFrame:
    """Return AP and DEO of each model with their ends, in per cent and points."""
    keep = (table["attribute"] == attribute) & (table["group"] == group) & ~_differences(table)
    columns: dict[str, pd.Series] = {}
    for metric in ("AP", "DEO"):
        rows = table[keep & (table["metric"] == metric)].set_index("model")
        columns |= {metric: rows["value"], f"{metric} low": rows["low"], f"{metric} high": rows["high"]}
    points = (100 * pd.DataFrame(columns)).dropna(subset=["AP", "DEO"])
    order: Sequence[str] = [model for model in dict.fromkeys(table["model"]) if model in points.index]
    if not 0 < len(order) <= 2 * len(MODEL_LOOKS):
        raise UserError(
            f"A figure of AP against DEO shows 1 to {2 * len(MODEL_LOOKS)} models that have both, not "
            f"{len(order)} (attribute '{attribute}', group '{group}')."
        )
    return points.loc[list(order)]
