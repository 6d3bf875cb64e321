"""Figures of faces: a grid of them, and generated faces above their partners."""

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fairlab.core.estimate import percent
from fairlab.figures.captioned import Captioned
from fairlab.figures.style import check_lengths, panels, readable, styled, with_or_without


@styled
def face_grid(
    images: np.ndarray,
    below: Sequence[str] | None = None,
    *,
    caption: str,
    columns: int = 8,
    row_names: Sequence[str] = (),
) -> Captioned:
    """Show faces in rows.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array, n >= 1
    below : n strings, optional
        Written below the faces.
    caption : str
        Whose faces these are, and how many of how many.
    columns : int
        Faces per row.
    row_names : sequence of str, optional
        What to write before each row.
    """
    check_lengths(images=images, below=images if below is None else below)
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    height = 1.15 + 0.17 * max((text.count("\n") + 1 for text in below or ()), default=0)
    figure, axes = panels(rows, columns, (1.15 * columns + (1.1 if row_names else 0), height * rows))
    for index, axis in enumerate(axes):
        row, column = divmod(index, columns)
        if index < len(images):
            _show_face(axis, images[index], below[index] if below else "")
            if column == 0 and row_names:
                name = textwrap.fill(readable(row_names[row]), 14)
                axis.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6)
        else:
            axis.set_axis_off()
    return Captioned(figure, caption, f"{len(images)} faces in {rows} rows")


def first_of_groups(target_labels: np.ndarray, protected_labels: np.ndarray, n: int = 6) -> np.ndarray:
    """Return the rows of the first `n` faces of each of the four groups, group after group."""
    groups = 2 * np.asarray(target_labels, int) + np.asarray(protected_labels, int)
    return np.concatenate([np.flatnonzero(groups == group)[:n] for group in range(4)])


def label_words(labels: Mapping[str, np.ndarray] | pd.DataFrame) -> list[str]:
    """Return what to write below each face: its labels, one a line, such as ``"Eyeglasses\\nnot Male"``.

    Parameters
    ----------
    labels : dict of attribute to (n,) array of 0 and 1, or DataFrame of such columns
    """
    lines = [[with_or_without(str(name))[int(x)] for x in column] for name, column in labels.items()]
    return ["\n".join(words) for words in zip(*lines, strict=True)]


def score_words(named: Mapping[str, float]) -> str:
    """Return the scores of one face, a line per attribute, to be written below it: ``"Smiling 0.93"``."""
    return "\n".join(f"{readable(name)} {score:.2f}" for name, score in named.items())


def kept_and_flipped(labels: np.ndarray, partner_labels: np.ndarray, *, target: str, protected: str) -> str:
    """Say how often the classifiers see the partner's labels as intended.

    Parameters
    ----------
    labels, partner_labels : (n, 2) arrays of 0 and 1
        Target and protected label that classifiers give to z and to z', of all pairs, not only those shown.
    target, protected : str
    """
    same = labels == partner_labels  # (n, 2)
    both = same[:, 0] & ~same[:, 1]
    return (
        "z above, its partner z' below. By the classifiers' labels, "
        f"{percent(same[:, 0].mean())} of {len(labels):,} partners keep the label "
        f"{readable(target)}, {percent(1 - same[:, 1].mean())} change the label "
        f"{readable(protected)}, and {percent(both.mean())} do both."
    )


@styled
def pair_grid(
    images: np.ndarray,
    partners: np.ndarray,
    below: Sequence[tuple[str, str]] | None = None,
    *,
    caption: str,
    columns: int = 8,
    row_names: tuple[str, str] = ("z", "z'"),
) -> Captioned:
    """Show each generated face z above its partner z'.

    Parameters
    ----------
    images, partners : (n, h, w, 3) uint8 arrays, n >= 1
    below : n pairs of strings, optional
        Written below z and below z', such as ``"Smiling 0.93\\nMale 0.12"``.
    caption : str
        Which pairs these are, and how many of how many.
    columns : int
        Pairs side by side.
    row_names : pair of str
        What to write before the faces and before the partners.
    """
    below = below or [("", "")] * len(images)
    check_lengths(images=images, partners=partners, below=below)
    columns = min(columns, len(images))
    blocks = math.ceil(len(images) / columns)
    lines = max(text.count("\n") + 1 if text else 0 for pair in below for text in pair)
    figure, axes = panels(2 * blocks, columns, (0.35 + 1.15 * columns, 2 * blocks * (1.15 + 0.17 * lines)))
    for axis in axes:
        axis.set_axis_off()
    for index, (face, partner, pair) in enumerate(zip(images, partners, below, strict=True)):
        block, column = divmod(index, columns)
        rows = axes[2 * block * columns + column], axes[(2 * block + 1) * columns + column]
        for axis, image, words, name in zip(rows, (face, partner), pair, row_names, strict=True):
            _show_face(axis, image, words, row_name=name if column == 0 else "")
    return Captioned(figure, caption, f"{len(images)} faces, each above its partner")


def _show_face(axis: Axes, image: np.ndarray, words: str, row_name: str = "") -> None:
    axis.set_axis_on()
    axis.imshow(image, interpolation="lanczos")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_xlabel(words, fontsize=7.5, labelpad=3)
    axis.set_ylabel(
        row_name, rotation=0, labelpad=6 + 5 * len(row_name), va="center", style="italic", fontsize=13
    )
