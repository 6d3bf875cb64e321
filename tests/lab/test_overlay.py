"""A figure drawn once, with artists that move on top of it."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fairlab.lab.overlay import Overlay


@pytest.fixture
def figure():
    figure = Figure(figsize=(4, 3), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1], [0, 10], color="blue")
    axis.set(xlim=(0, 1), ylim=(0, 10), xlabel="x")
    return figure


@pytest.fixture
def dot(figure):
    (dot,) = figure.axes[0].plot([0.25], [7.5], "s", color="red", markersize=8)
    return dot


def red_pixels(picture):
    """Centre (x, y) of what is plainly red."""
    rgb = np.asarray(picture).astype(int)
    rows, columns = np.nonzero((rgb[..., 0] > 200) & (rgb[..., 1:].max(axis=-1) < 60))
    return columns.mean() + 0.5, rows.mean() + 0.5  # a pixel's centre is half a pixel from its corner


def test_the_background_is_drawn_without_what_moves(figure, dot):
    overlay = Overlay(figure, [dot])

    rgb = np.asarray(overlay.picture([])).astype(int)
    assert not ((rgb[..., 0] > 200) & (rgb[..., 1:].max(axis=-1) < 60)).any()


def test_an_artist_lies_where_to_pixels_says_and_leaves_no_trace(figure, dot):
    overlay, axis = Overlay(figure, [dot], dpi=80), figure.axes[0]
    first = overlay.picture()
    for place in ([0.25, 7.5], [0.8, 2.0], [0.25, 7.5]):
        dot.set_data([place[0]], [place[1]])
        assert np.asarray(red_pixels(overlay.picture())) == pytest.approx(
            overlay.to_pixels(axis, [place])[0], abs=1
        )
    assert np.array_equal(overlay.picture(), first)


def test_rows_of_a_picture_are_counted_from_the_top(figure):
    overlay, axis = Overlay(figure), figure.axes[0]

    (left, low), (right, high) = overlay.to_pixels(axis, [[0, 0], [1, 10]])
    assert left < right
    assert high < low


def test_the_blitted_picture_is_that_of_a_full_drawing(figure, dot):
    overlay = Overlay(figure, [dot])
    blitted = np.asarray(overlay.picture())

    dot.set_animated(False)
    assert np.array_equal(np.asarray(Overlay(figure).picture()), blitted)


def test_an_artist_made_after_the_drawing_shows_too(figure):
    overlay, axis = Overlay(figure), figure.axes[0]
    arrow = axis.annotate("", (0.9, 9), (0.1, 1), arrowprops={"color": "red", "arrowstyle": "-|>"})

    assert not np.array_equal(np.asarray(overlay.picture([arrow])), np.asarray(overlay.picture([])))


def test_the_size_follows_the_dpi_and_the_jpeg_is_one(figure):
    overlay = Overlay(figure, dpi=150)

    assert overlay.size == (600, 450) == overlay.picture().size
    opened = Image.open(io.BytesIO(overlay.jpeg()))
    assert (opened.format, opened.size, opened.mode) == ("JPEG", (600, 450), "RGB")
