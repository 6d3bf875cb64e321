"""Figures of faces: a grid of them, and generated faces above their partners."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fairlab.figures.style import check_lengths, panels, readable, styled, with_or_without


@styled
def face_grid(
    images: np.ndarray,
    captions: Sequence[str] | None = None,
    columns: int = 8,
    row_names: Sequence[str] = (),
) -> Figure:
    """Show faces in rows.

    Parameters
    ----------
    images : (n, h, w, 3) uint8 array, n >= 1
    captions : n strings, optional
        Written below the faces.
    columns : int
        Faces per row.
    row_names : sequence of str, optional
        What to write before each row.
    """
    check_lengths(images=images, captions=images if captions is None else captions)
    columns = min(columns, len(images))
    rows = math.ceil(len(images) / columns)
    height = 1.15 + 0.17 * max((text.count("\n") + 1 for text in captions or ()), default=0)
    figure, axes = panels(rows, columns, (1.15 * columns + (1.1 if row_names else 0), height * rows))
    for index, axis in enumerate(axes):
        row, column = divmod(index, columns)
        if index < len(images):
            _show_face(axis, images[index], captions[index] if captions else "")
            if column == 0 and row_names:
                name = textwrap.fill(readable(row_names[row]), 14)
                axis.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6)
        else:
            axis.set_axis_off()
    return figure


def first_of_groups(target_labels: np.ndarray, protected_labels: np.ndarray, n: int = 6) -> np.ndarray:
    """Return the rows of the first `n` faces of each of the four groups, group after group."""
    groups = 2 * np.asarray(target_labels, int) + np.asarray(protected_labels, int)
    return np.concatenate([np.flatnonzero(groups == group)[:n] for group in range(4)])


def label_words(
    target_labels: np.ndarray, protected_labels: np.ndarray, *, target: str, protected: str
) -> list[str]:
    """Name both labels of each face, one below the other: captions for `face_grid`."""
    names = with_or_without(target), with_or_without(protected)
    return [f"{names[0][t]}\n{names[1][a]}" for t, a in zip(target_labels, protected_labels, strict=True)]


@styled
def pair_grid(
    images: np.ndarray,
    partners: np.ndarray,
    captions: Sequence[tuple[str, str]] | None = None,
    columns: int = 8,
    row_names: tuple[str, str] = ("z", "z'"),
) -> Figure:
    """Show each generated face z above its partner z'.

    Parameters
    ----------
    images, partners : (n, h, w, 3) uint8 arrays, n >= 1
    captions : n pairs of strings, optional
        Written below z and below z', such as ``"Smiling 0.93\\nMale 0.12"``.
    columns : int
        Pairs side by side.
    row_names : pair of str
        What to write before the faces and before the partners.
    """
    captions = captions or [("", "")] * len(images)
    check_lengths(images=images, partners=partners, captions=captions)
    columns = min(columns, len(images))
    blocks = math.ceil(len(images) / columns)
    lines = max(text.count("\n") + 1 if text else 0 for pair in captions for text in pair)
    figure, axes = panels(2 * blocks, columns, (0.35 + 1.15 * columns, 2 * blocks * (1.15 + 0.17 * lines)))
    for axis in axes:
        axis.set_axis_off()
    for index, (face, partner, pair) in enumerate(zip(images, partners, captions, strict=True)):
        block, column = divmod(index, columns)
        above, below = axes[2 * block * columns + column], axes[(2 * block + 1) * columns + column]
        _show_face(above, face, pair[0], row_name=row_names[0] if column == 0 else "")
        _show_face(below, partner, pair[1], row_name=row_names[1] if column == 0 else "")
    return figure


def _show_face(axis: Axes, image: np.ndarray, caption: str, row_name: str = "") -> None:
    axis.set_axis_on()
    axis.imshow(image, interpolation="lanczos")
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
    axis.set_xlabel(caption, fontsize=7.5, labelpad=3)
    axis.set_ylabel(
        row_name, rotation=0, labelpad=6 + 5 * len(row_name), va="center", style="italic", fontsize=13
    )
