"""A figure that is drawn once, and a few artists that move on top of it.

Drawing axes, ticks and thousands of points takes matplotlib tens of milliseconds; putting the finished pixels
back and drawing a marker or an arrow on them takes one or two ("blitting").
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

from fairlab.figures.style import styled
from fairlab.lab.renderer import jpeg


class Overlay:
    """The pixels of a figure, on which a few artists are drawn anew for every picture.

    Parameters
    ----------
    figure : Figure
        Drawn once, here; later changes to anything but `moving` do not show.
    moving : sequence of Artist
        Those of the figure's artists that will move: they are left out of the background, and the layout
        does not depend on where they are.
    dpi : int
        Pixels per inch of the figure.

    Examples
    --------
    >>> figure = Figure(figsize=(4, 3))
    >>> axis = figure.subplots()
    >>> marker = axis.axvline(0.2)
    >>> overlay = Overlay(figure, [marker])
    >>> marker.set_xdata([0.7, 0.7])
    >>> overlay.picture().size
    (400, 300)
    """

    @styled
    def __init__(self, figure: Figure, moving: Sequence[Artist] = (), *, dpi: int = 100) -> None:
        self.moving = tuple(moving)
        for artist in self.moving:
            artist.set_animated(True)  # such artists are skipped when the figure is drawn
            artist.set_in_layout(False)
        figure.set_dpi(dpi)
        self._canvas = FigureCanvasAgg(figure)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(figure.bbox)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels."""
        return self._canvas.get_width_height()

    def picture(self, artists: Sequence[Artist] | None = None) -> Image.Image:
        """Return the figure with `artists` on top, as RGB.

        Parameters
        ----------
        artists : sequence of Artist, optional
            Drawn in this order; the moving ones when None. Others must not be part of the background, or
            they would show twice.
        """
        self._canvas.restore_region(self._background)
        renderer = self._canvas.get_renderer()
        for artist in self.moving if artists is None else artists:
            artist.draw(renderer)
        # The buffer is drawn on again: a picture needs its own copy.
        return Image.fromarray(np.asarray(self._canvas.buffer_rgba())[..., :3].copy())

    def jpeg(self) -> bytes:
        """Return the picture as JPEG bytes, its colours at full resolution, or thin lines would fade."""
        return jpeg(self.picture(), subsampling=0)

    def to_pixels(self, axis: Axes, points: ArrayLike) -> np.ndarray:
        """Return where points (n, 2) of an axis lie in the picture: (n, 2) pixels from top left."""
        pixels = axis.transData.transform(np.asarray(points, dtype=np.float64))
        # Rows are counted from the other end: in pictures from the top, in matplotlib from the bottom.
        return np.asarray([0, self.size[1]]) + np.asarray([1, -1]) * pixels
