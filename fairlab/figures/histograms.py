"""Histograms: scores of each group, distances to a hyperplane."""

from collections.abc import Mapping

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes

from fairlab.core.estimate import percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import (
    INK,
    PROTECTED_LOOKS,
    check_lengths,
    model_name,
    panels,
    readable,
    share_of,
    styled,
    with_or_without,
)


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
    names, sentences = with_or_without(protected_name), []
    for row, (model, values) in enumerate(scores.items()):
        check_lengths(scores=values, y_true=y_true, protected=protected)
        for column, t in enumerate((1, 0)):
            axis = axes[2 * row + column]
            rows = y_true == t
            _group_histograms(axis, values[rows], protected[rows], np.linspace(0, 1, bins + 1), names)
            axis.axvline(thresholds[model], color=INK, linewidth=1.2, linestyle=":")
            axis.set_title(f"{model_name(model)}: labelled {with_or_without(target)[t]}")
            wrong = (values > thresholds[model])[rows] != t
            errors = [wrong[protected[rows] == a] for a in (0, 1)]
            _note_errors(axis, errors, t, names)
            if t:
                missed = [percent(share_of(group)) for group in errors]
                sentences.append(
                    f"The {model_name(model)} classifier misses {missed[0]} of the {readable(target)} faces "
                    f"labelled {names[0]} and {missed[1]} of those labelled {names[1]}."
                )
    for axis in axes:
        axis.set(xlabel="", ylabel="")
    for axis in axes[-2:]:
        axis.set_xlabel(f"score for {readable(target)} (dotted: threshold)")
    for axis in axes[::2]:
        axis.set_ylabel("% of the group")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    alt = f"Histograms of scores for {readable(target)}, for {names[0]} and {names[1]}"
    return Captioned(figure, " ".join(sentences), alt)


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
    _group_histograms(axis, distances, labels, edges, with_or_without(attribute))
    axis.axvline(0, color=INK, linewidth=1.4)
    axis.set(xlabel=f"signed distance to the hyperplane of {readable(attribute)}", ylabel="% of the label")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    right = (distances > 0) == (labels == 1)
    parts = [f"{percent(share_of(right[labels == k]))} of {int((labels == k).sum()):,}" for k in (1, 0)]
    caption = (
        f"Of the latents labelled {readable(attribute)}, {parts[0]} lie on the positive side; of the others, "
        f"{parts[1]} on the negative side."
    )
    return Captioned(figure, caption, f"Histograms of distances to the hyperplane of {readable(attribute)}")


def _group_histograms(
    axis: Axes, values: np.ndarray, groups: np.ndarray, edges: np.ndarray, names: tuple[str, str]
) -> None:
    """Draw one histogram for each group, in per cent of the group."""
    for a, (name, look) in enumerate(zip(names, PROTECTED_LOOKS, strict=True)):
        style = {"color": look.colour, "hatch": look.hatch, "linestyle": look.line, "linewidth": 1.6}
        one = values[groups == a]
        sns.histplot(
            x=one, bins=edges, stat="percent", element="step", alpha=0.18, label=name, ax=axis, **style
        )


def _note_errors(axis: Axes, errors: list[np.ndarray], t: int, names: tuple[str, str]) -> None:
    """Write in a corner which share of each group is missed, or is a false alarm."""
    lines = [f"{name}: {percent(share_of(e))} of {len(e):,}" for name, e in zip(names, errors, strict=True)]
    x, align = (0.03, "left") if t else (0.97, "right")
    text = "\n".join(["missed" if t else "false alarms", *lines])
    axis.text(x, 0.95, text, transform=axis.transAxes, ha=align, va="top", fontsize=9)
