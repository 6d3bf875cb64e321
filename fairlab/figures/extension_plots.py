"""Figures of the paper's extensions, and text for what a reader sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fairlab.classifiers.images import ImageArray
from fairlab.core.estimate import PERCENT, Estimate
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import FAINT, MODEL_LOOKS, panels, readable, styled, with_or_without
from fairlab.metrics.intervals.proportion import proportion
from fairlab.workspace.reader import AttributeReader


def seen_labels(reader: AttributeReader, images: ImageArray, attributes: Sequence[str]) -> pd.DataFrame:
    """Return what a reader sees of some attributes in (n, h, w, 3) uint8 images: n rows of 0 and 1.

    Raises
    ------
    KeyError
        If the reader does not know an attribute.
    """
    labels = reader.labels(images, progress=False)  # (n, k)
    return pd.DataFrame(labels, columns=list(reader.attributes))[list(attributes)]


def seen_words(labels: pd.DataFrame) -> list[str]:
    """Return the words below each face, a line for each attribute: ``"Eyeglasses\\nnot Male"``."""
    lines = [[with_or_without(name)[label] for label in labels[name]] for name in labels.columns]
    return ["\n".join(words) for words in zip(*lines, strict=True)]


def share_words(flags: pd.DataFrame) -> pd.Series:
    """Return how often each column holds, as words: ``"94.3% [92.2, 95.9] (n = 600)"``."""
    words = [str(proportion(int(flags[name].sum()), len(flags))) for name in flags.columns]
    return pd.Series(words, index=flags.columns)


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
        accuracy = 100 * rows[["accuracy", "low", "high"]].to_numpy()
        left.axhline(100 * rows["guess"].iloc[0], color=MODEL_LOOKS[place].colour, linewidth=1, linestyle=":")
        _curve(left, rows["share"], accuracy, place, readable(str(name)))
        _curve(right, rows["share"], rows[["cosine", "cosine_low", "cosine_high"]].to_numpy(), place, "")
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


def _curve(axis: Axes, shares: pd.Series, numbers: np.ndarray, place: int, label: str) -> None:
    """Draw values with their ends, (n, 3); curves stand a little beside each other."""
    look, (value, low, high) = MODEL_LOOKS[place], numbers.T
    errors = np.maximum(0, [value - low, high - value])
    at = shares.to_numpy() * 1.04**place
    axis.errorbar(
        at, value, yerr=errors, fmt=look.marker, ls=look.line, color=look.colour, markersize=5, label=label
    )


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
