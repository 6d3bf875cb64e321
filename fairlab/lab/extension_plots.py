"""What the notebook of the paper's extensions counts and draws."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairlab.classifiers.images import ImageArray
from fairlab.lab.style import FAINT, MODEL_LOOKS, check_lengths, panels, readable, styled, with_or_without
from fairlab.latent import Hyperplane, skewed_rows
from fairlab.metrics.means import bootstrap_means
from fairlab.metrics.proportions import Proportion
from fairlab.oracle import AttributeReader

#: Column of `as_claimed` for a partner that did everything it claims.
EVERYTHING = "all of it"

#: The SVM's C in `skew_study`. With 1, as for a run's planes, the solver does not settle where there are
#: about as many latents as dimensions, which small subsets come close to.
REGULARISATION = 0.01


class Difference(NamedTuple):
    """A paired difference of two shares, -1..1, with its 95% interval and the number of pairs."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        value, low, high = (f"{100 * x:+.1f}" for x in self[:3])
        return f"{value} points [{low}, {high}] (n = {self.n:,})"


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


def as_claimed(before: pd.DataFrame, after: pd.DataFrame, flipped: Collection[str]) -> pd.DataFrame:
    """Return whether each partner flipped the attributes that it should, and kept the others.

    Parameters
    ----------
    before, after : DataFrames of 0 and 1, n rows
        Labels of z and of its partner, with the same attributes as columns.
    flipped : collection of str
        The attributes that should change.

    Returns
    -------
    DataFrame of bool, n rows
        A column for each attribute, and `EVERYTHING`.
    """
    check_lengths(before=before, after=after)
    held = {
        name: (before[name].to_numpy() != after[name].to_numpy()) == (name in flipped)
        for name in before.columns
    }
    return pd.DataFrame(held | {EVERYTHING: np.all(list(held.values()), axis=0)})


def share_words(flags: pd.DataFrame) -> pd.Series:
    """Return how often each column holds, as words: ``"94.3% [92.2, 95.9] (566 of 600)"``."""
    words = [str(Proportion(int(flags[name].sum()), len(flags))) for name in flags.columns]
    return pd.Series(words, index=flags.columns)


def paired_difference(first: np.ndarray, second: np.ndarray) -> Difference:
    """Return by how much more often the first holds than the second, on the same bootstrap resamples.

    Parameters
    ----------
    first, second : (n,) bool arrays, n >= 1
        Whether each held, of the same n latents.
    """
    check_lengths(first=first, second=second)
    both = np.stack([first, second], axis=1).astype(float)  # (n, 2)
    gap = both[:, 0] - both[:, 1]
    row = bootstrap_means(gap[None, :, None]).table(["difference"]).iloc[0]
    return Difference(row["value"], row["low"], row["high"], len(gap))


def skew_study(
    z: np.ndarray,
    labels: Mapping[str, np.ndarray],
    shares: Sequence[float],
    *,
    n_fit: int,
    draws: int = 3,
) -> pd.DataFrame:
    """Fit hyperplanes to labels of which few, or many, are positive: do they still find the plane?

    Parameters
    ----------
    z : (n, d) array
        Latents: the first `n_fit` to draw from, the others held out.
    labels : dict of str to (n,) array
        0 or 1, for each attribute.
    shares : sequence of float
        Shares of positives, 0..1 exclusive.
    n_fit : int
    draws : int
        How many subsets are drawn, and fitted, for each share.

    Returns
    -------
    DataFrame
        A row for each attribute and share: attribute, share, draws, n_fitted (as many latents as the share
        allows); accuracy, low, high and n_held_out (mean over draws, 95% interval over held-out latents and
        draws); guess (accuracy of always guessing the commoner label); cosine, cosine_low, cosine_high with
        the full fit, to all of the first `n_fit` latents (mean and range over draws).

    Raises
    ------
    UserError
        If a share cannot be drawn from the labels.

    Notes
    -----
    Subsets are those of ``fairlab run --positive-share``; all fits, the full one too, are regularised more
    strongly: see `REGULARISATION`.
    Source: Ramaswamy et al., CVPR 2021, the study of under-represented fits.
    """
    rows = []
    for name, y in labels.items():
        whole = _fit(z[:n_fit], y[:n_fit])
        for share in shares:
            subsets = [skewed_rows(y[:n_fit], share, seed=seed) for seed in range(draws)]
            found = [_fit(z[subset], y[subset]) for subset in subsets]
            about = {"attribute": name, "share": share, "draws": draws, "n_fitted": len(subsets[0])}
            rows.append(about | _measured(found, whole, z[n_fit:], y[n_fit:]))
    return pd.DataFrame(rows)


def _fit(z: np.ndarray, y: np.ndarray) -> Hyperplane:
    return Hyperplane.fit(z, y, regularisation=REGULARISATION)


def _measured(
    found: Sequence[Hyperplane], whole: Hyperplane, z: np.ndarray, y: np.ndarray
) -> dict[str, float]:
    right = np.stack([(plane.distance(z) > 0) == (y == 1) for plane in found])  # (draws, n)
    accuracy = bootstrap_means(right[:, :, None]).table(["accuracy"], shares=["accuracy"]).iloc[0]
    cosines = [plane.cosine(whole) for plane in found]
    return {
        "accuracy": accuracy["value"],
        "low": accuracy["low"],
        "high": accuracy["high"],
        "n_held_out": len(y),
        "guess": max(y.mean(), 1 - y.mean()),
        "cosine": float(np.mean(cosines)),
        "cosine_low": min(cosines),
        "cosine_high": max(cosines),
    }


@styled
def skew_curves(study: pd.DataFrame) -> Figure:
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
    return figure


def _curve(axis: Axes, shares: pd.Series, numbers: np.ndarray, place: int, label: str) -> None:
    """Draw values with their ends, (n, 3); curves stand a little beside each other."""
    look, (value, low, high) = MODEL_LOOKS[place], numbers.T
    errors = np.maximum(0, [value - low, high - value])
    at = shares.to_numpy() * 1.04**place
    axis.errorbar(
        at, value, yerr=errors, fmt=look.marker, ls=look.line, color=look.colour, markersize=5, label=label
    )


def skew_curves_caption(study: pd.DataFrame) -> str:
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
    accuracy, low, high = (100 * row[name] for name in ("accuracy", "low", "high"))
    return (
        f"{100 * row['share']:g}% of {row['n_fitted']:,} positive {accuracy:.1f}% [{low:.1f}, {high:.1f}], "
        f"cosine {row['cosine']:.2f} ({row['cosine_low']:.2f} to {row['cosine_high']:.2f})"
    )
