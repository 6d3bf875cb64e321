"""Curves: learning, calibration, skewed fits, changes within pairs, moves along directions."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.estimate import PERCENT, Estimate, Unit, percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.reliability import reliability
from fairlab.figures.style import (
    FAINT,
    MODEL_LOOKS,
    Look,
    mark_intervals,
    model_look,
    model_name,
    panels,
    readable,
    styled,
)
from fairlab.metrics.groups.named_groups import GroupNames, Protected

_MOST_PANELS = 24
_INTERVAL = ["value", "low", "high"]


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
        look, table = model_look(list(curves), model), pd.DataFrame(list(records)).set_index("epoch")
        line: dict[str, Any] = {"color": look.colour, "linestyle": look.line, "marker": look.marker}
        loss.plot(table["train_loss"], label=model_name(model), markersize=4, **line)
        valid.plot(100 * table[score], markersize=4, **line)
        best = records[int(table[score].fillna(-1.0).argmax())]
        valid.plot(best["epoch"], 100 * best[score], "o", markersize=12, fillstyle="none", color=look.colour)
        sentences.append(
            f"The {model_name(model)} classifier is best after epoch {best['epoch']} of {table.index[-1]}, "
            f"with a validation {readable(score)} of {percent(best[score])}."
        )
    loss.set(title="training loss", xlabel="epoch", ylabel="cross-entropy")
    valid.set(title="validation score (ringed: best epoch)", xlabel="epoch", ylabel=f"{readable(score)}, %")
    for axis in (loss, valid):
        axis.grid(axis="y")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=max(1, min(4, len(curves))))
    return Captioned(figure, " ".join(sentences), "Curves of training loss and validation score by epoch")


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
    return Captioned(figure, _errors_of_scores(table), "How often scores come true in each group")


def _calibration_panel(axis: Axes, rows: pd.DataFrame, name: str, width: float) -> None:
    share = 0.22 * rows["n"] / rows["n"].max()
    axis.bar(rows["left"], share, width=width, align="edge", color="#D9DDE2", edgecolor="white")
    axis.axline((0, 0), slope=1, color=FAINT, linewidth=1, linestyle=":")
    shown = rows[rows["n"] > 0]
    _curve(axis, shown["score"], shown[_INTERVAL], MODEL_LOOKS[1])
    tallest = int(rows["n"].to_numpy().argmax())
    at = (float(rows["left"].iloc[tallest]) + width / 2, 0.225)
    axis.annotate(f"{rows['n'].max():,}", at, ha="center", va="bottom", fontsize=8, color=FAINT)
    axis.set(xlim=(0, 1), ylim=(0, 1.02), title=f"{readable(name)}\n{rows['n'].sum():,} images")
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.grid()


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
def skew_curves(study: pd.DataFrame) -> Captioned:
    """Show held-out accuracy, and the cosine with the full fit, against the share of positives.

    Parameters
    ----------
    study : DataFrame
        As from `skew_study`.
    """
    figure, (left, right) = panels(1, 2, (9.2, 3.4), sharex=True)
    for place, (name, rows) in enumerate(study.groupby("attribute", sort=False)):
        look, label = MODEL_LOOKS[place], readable(str(name))
        at = rows["share"] * 1.04**place  # curves stand a little beside each other
        left.axhline(100 * rows["guess"].iloc[0], color=look.colour, linewidth=1, linestyle=":")
        _curve(left, at, 100 * rows[["accuracy", "low", "high"]], look, label)
        _curve(right, at, rows[["cosine", "cosine_low", "cosine_high"]], look, label)
    shares = sorted(set(study["share"]))
    left.set(ylabel="held-out accuracy, %\n(dotted: always guessing)", xscale="log")
    right.set(ylabel="cosine with the full fit")
    right.axhline(0, color=FAINT, linewidth=1)
    for axis in (left, right):
        axis.set_xticks(shares, [f"{100 * share:g}" for share in shares])
        axis.minorticks_off()
        axis.set_xlabel("positives among the labels fitted to, %")
        axis.grid()
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return Captioned(figure, _ends(study), "Accuracy and cosine of each plane against the share of positives")


def _ends(study: pd.DataFrame) -> str:
    """Say how each attribute's plane fares with the most skewed and the most balanced labels."""
    sentences = []
    for name, rows in study.groupby("attribute", sort=False):
        ends = rows.sort_values("share").iloc[[0, -1]].to_dict("records")
        guess = f"always guessing {100 * rows['guess'].iloc[0]:.1f}%"
        sentences.append(f"{readable(str(name))}: {'; '.join([*map(_end, ends), guess])}.")
    first = study.iloc[0]
    about = (
        f"Accuracy on {first['n_held_out']:,} held-out latents, with 95% intervals, and cosine with the full "
        f"fit, with its range over {first['draws']} draws."
    )
    return " ".join([about, *sentences])


def _end(row: Mapping[Any, Any]) -> str:
    """``"1% of 4,861 positive 60.2% [57.1, 63.0], cosine 0.35 (0.29 to 0.41)"``."""
    accuracy = Estimate(row["accuracy"], row["low"], row["high"], unit=PERCENT)
    return (
        f"{100 * row['share']:g}% of {row['n_fitted']:,} positive {accuracy}, "
        f"cosine {row['cosine']:.2f} ({row['cosine_low']:.2f} to {row['cosine_high']:.2f})"
    )


@styled
def changed_counts(table: pd.DataFrame) -> Captioned:
    """Show how many other attributes change within a pair, a curve for each kind of pairs.

    Parameters
    ----------
    table : DataFrame
        As `fairlab.studies.ground_truth.changed_counts`.
    """
    figure, (axis,) = panels(1, 1, (7.6, 3.2))
    for look, (kind, rows) in zip(MODEL_LOOKS, table.groupby("pairs", sort=False), strict=False):
        _curve(axis, rows["changed"], 100 * rows[_INTERVAL], look, str(kind))
    axis.set(xlabel="other attributes changed", ylabel="% of the pairs", ylim=(0, None))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(axis="y")
    axis.legend(loc="upper right")
    unchanged = table[table["changed"] == 0]
    parts = [f"{row.pairs} {Estimate.of(row, PERCENT)} (n = {row.n:,})" for row in unchanged.itertuples()]
    caption = f"Pairs in which no other attribute changes: {', '.join(parts)}. Whiskers are 95% intervals."
    return Captioned(figure, caption, "Distribution of the number of other attributes that change in a pair")


@styled
def direction_effects(table: pd.DataFrame, *, protected: str) -> Captioned:
    """Show what moves along several directions change, a panel for each metric.

    Parameters
    ----------
    table : DataFrame
        As `fairlab.studies.ground_truth.effects`.
    protected : str
        The attribute that the directions are of.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    figure, axes = panels(1, len(metrics), (3.6 * len(metrics), 3.5))
    for axis, metric in zip(axes, metrics, strict=True):
        is_share = metric != "other attributes changed"
        rows = table[table["metric"] == metric]
        for look, (name, line) in zip(MODEL_LOOKS, rows.groupby("direction", sort=False), strict=False):
            _curve(axis, line["step"], (100 if is_share else 1) * line[_INTERVAL], look, str(name))
        axis.axvline(0, color=FAINT, linewidth=0.8)
        axis.set(title=metric, xlabel="standard deviations", ylabel="% of the faces" if is_share else "mean")
        axis.grid(axis="y")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(MODEL_LOOKS))
    return Captioned(figure, _longest(table, protected), "What moves along several directions change")


def _longest(table: pd.DataFrame, protected: str) -> str:
    """Say what the longest move towards the protected attribute does along each direction."""
    longest = table[table["step"] == table["step"].max()]
    parts = []
    for name, rows in longest.groupby("direction", sort=False):
        found = {row.metric: row for row in rows.itertuples()}
        shown, others = found["protected present"], found["other attributes changed"]
        parts.append(
            f"{name}: {readable(protected)} in {Estimate.of(shown, PERCENT)}, "
            f"{Estimate.of(others, Unit(digits=1))} other attributes changed"
        )
    return (
        f"{longest['step'].iloc[0]:g} standard deviations along each direction, {longest['n'].iloc[0]:,} "
        f"faces. {'; '.join(parts)}."
    )


def _curve(axis: Axes, at: pd.Series, numbers: pd.DataFrame, look: Look, label: str = "") -> None:
    """Draw a curve of values with their intervals, (n, 3)."""
    mark_intervals(axis, at, numbers, look, upright=True, linestyle=look.line, label=label)
