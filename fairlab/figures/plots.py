"""The lab's figures: functions of arrays that return a figure with its caption.

pyplot does not hold the figures open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from fairlab.core.estimate import Estimate, number, percent
from fairlab.figures import tables
from fairlab.figures.captioned import Captioned
from fairlab.figures.faces import face_grid, pair_grid
from fairlab.figures.intervals import dots
from fairlab.figures.plane import Line, latent_plane
from fairlab.figures.style import (
    FAINT,
    INK,
    PROTECTED_LOOKS,
    TARGET_LOOKS,
    Look,
    check_lengths,
    model_look,
    model_name,
    panels,
    readable,
    styled,
    with_or_without,
)

__all__ = [
    "Line",
    "distance_histograms",
    "dots",
    "face_grid",
    "label_table",
    "latent_plane",
    "learning_curves",
    "metric_bars",
    "pair_grid",
    "score_histograms",
]


@styled
def score_histograms(
    scores: Mapping[str, np.ndarray],
    y_true: np.ndarray,
    protected: np.ndarray,
    thresholds: Mapping[str, float],
    *,
    target: str,
    protected_name: str,
    bins: int = 25,
) -> Captioned:
    """Show how each model scores the four groups, one row per model, one column per true label.

    Parameters
    ----------
    scores : dict of model name to (n,) array in [0, 1]
    y_true, protected : (n,) arrays of 0 and 1
    thresholds : dict of model name to float in [0, 1]
        A face scored above it is predicted positive.
    target, protected_name : str
    bins : int
        Equal bins over [0, 1]; all groups share them.
    """
    figure, axes = panels(len(scores), 2, (9.2, 0.5 + 2.5 * len(scores)), sharex=True, sharey="col")
    for row, (model, values) in enumerate(scores.items()):
        check_lengths(scores=values, y_true=y_true, protected=protected)
        for column, t in enumerate((1, 0)):
            axis = axes[2 * row + column]
            names = with_or_without(protected_name)
            _group_histograms(axis, values, y_true == t, protected, np.linspace(0, 1, bins + 1), names)
            axis.axvline(thresholds[model], color=INK, linewidth=1.2, linestyle=":")
            axis.set_title(f"{model_name(model)}: labelled {with_or_without(target)[t]}")
            _note_errors(axis, values > thresholds[model], y_true == t, protected, t, protected_name)
    for axis in axes[-2:]:
        axis.set_xlabel(f"score for {readable(target)} (dotted: threshold)")
    for axis in axes[::2]:
        axis.set_ylabel("% of the group")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2)
    without, with_ = with_or_without(protected_name)
    sentences = []
    for model, values in scores.items():
        missed = [_missed(values, y_true, protected == a, thresholds[model]) for a in (0, 1)]
        sentences.append(
            f"The {model_name(model)} classifier misses {percent(missed[0])} of the "
            f"{readable(target)} faces labelled {without} and {percent(missed[1])} of those labelled "
            f"{with_}."
        )
    alt = f"Histograms of scores for {readable(target)}, for {without} and {with_}"
    return Captioned(figure, " ".join(sentences), alt)


def _missed(scores: np.ndarray, y_true: np.ndarray, group: np.ndarray, threshold: float) -> float:
    return _share(scores[(y_true == 1) & group] <= threshold)


def _share(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else math.nan


@styled
def distance_histograms(
    distances: np.ndarray, labels: np.ndarray, *, attribute: str, bins: int = 40
) -> Captioned:
    """Show how the signed distances to a hyperplane are spread among latents without and with its label.

    Parameters
    ----------
    distances : (n,) array
    labels : (n,) array of 0 and 1
    attribute : str
    bins : int
    """
    check_lengths(distances=distances, labels=labels)
    figure, (axis,) = panels(1, 1, (6.4, 2.8))
    edges = np.linspace(distances.min(), distances.max(), bins + 1)
    _group_histograms(axis, distances, np.ones(len(labels), bool), labels, edges, with_or_without(attribute))
    axis.axvline(0, color=INK, linewidth=1.4)
    axis.set(xlabel=f"signed distance to the hyperplane of {readable(attribute)}", ylabel="% of the label")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    right = (distances > 0) == (labels == 1)
    parts = [f"{percent(_share(right[labels == k]))} of {int((labels == k).sum()):,}" for k in (1, 0)]
    caption = (
        f"Of the latents labelled {readable(attribute)}, {parts[0]} lie on the positive side; of the others, "
        f"{parts[1]} on the negative side."
    )
    return Captioned(figure, caption, f"Histograms of distances to the hyperplane of {readable(attribute)}")


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


@styled
def learning_curves(curves: Mapping[str, Sequence[Mapping[str, Any]]], score: str = "AP") -> Captioned:
    """Show loss and validation score by epoch, the best epoch marked.

    Parameters
    ----------
    curves : dict of model name to records
        Each record has ``epoch``, ``train_loss`` and `score`.
    score : str
        The key of the validation score, a fraction in [0, 1].
    """
    figure, (loss, valid) = panels(1, 2, (9.2, 3.4))
    sentences = []
    for model, records in curves.items():
        look = model_look(list(curves), model)
        epochs = [record["epoch"] for record in records]
        line: dict[str, Any] = {
            "color": look.colour,
            "linestyle": look.line,
            "marker": look.marker,
            "markersize": 4,
        }
        loss.plot(epochs, [record["train_loss"] for record in records], label=model_name(model), **line)
        values = 100 * np.array([record[score] for record in records])
        valid.plot(epochs, values, **line)
        best = int(np.argmax(np.nan_to_num(values, nan=-1.0)))
        valid.plot(epochs[best], values[best], "o", markersize=12, fillstyle="none", color=look.colour)
        sentences.append(
            f"The {model_name(model)} classifier is best after epoch {epochs[best]} of {epochs[-1]}, with a "
            f"validation {readable(score)} of {percent(records[best][score])}."
        )
    loss.set(title="training loss", xlabel="epoch", ylabel="cross-entropy")
    valid.set(title="validation score (ringed: best epoch)", xlabel="epoch", ylabel=f"{readable(score)}, %")
    for axis in (loss, valid):
        axis.grid(axis="y")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=max(1, min(4, len(curves))))
    return Captioned(figure, " ".join(sentences), "Curves of training loss and validation score by epoch")


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
    shares = [_share(target_labels[protected_labels == a]) for a in (0, 1)]
    without, with_ = with_or_without(protected)
    return (
        f"{percent(shares[0])} of the faces labelled {without} are labelled {readable(target)}, "
        f"against {percent(shares[1])} of those labelled {with_} ({len(target_labels):,} faces)."
    )


def _group_histograms(
    axis: Axes,
    scores: np.ndarray,
    chosen: np.ndarray,
    protected: np.ndarray,
    edges: np.ndarray,
    names: tuple[str, str],
) -> None:
    for a, look in enumerate(PROTECTED_LOOKS):
        group = scores[chosen & (protected == a)]
        share = 100 * np.histogram(group, edges)[0] / max(1, len(group))
        style: dict[str, Any] = {"color": look.colour, "linewidth": 1.6, "linestyle": look.line}
        axis.stairs(share, edges, label=names[a], hatch=look.hatch, **style)
        axis.stairs(share, edges, fill=True, color=look.colour, alpha=0.18)


def _note_errors(
    axis: Axes, predicted: np.ndarray, chosen: np.ndarray, protected: np.ndarray, t: int, protected_name: str
) -> None:
    wrong = ["missed" if t else "false alarms"]
    for a, name in enumerate(with_or_without(protected_name)):
        group = predicted[chosen & (protected == a)]
        wrong.append(f"{name}: {percent(_share(group != t))} of {len(group):,}")
    x, align = (0.03, "left") if t else (0.97, "right")
    axis.text(x, 0.95, "\n".join(wrong), transform=axis.transAxes, ha=align, va="top", fontsize=9)


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
