"""The hyperplane view: latents in the plane of two normals; choosing one shows its face and its partner's."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.text import Annotation

from fairlab.core.errors import UserError
from fairlab.figures.plane import Line, latent_plane
from fairlab.figures.style import INK, YELLOW, readable, with_or_without
from fairlab.generators import sample_latents
from fairlab.lab.bars import BESIDE_NAMES, face_table
from fairlab.lab.clickable import ClickablePicture
from fairlab.lab.overlay import Overlay
from fairlab.lab.panel import Panel, choice, words
from fairlab.lab.renderer import Renderer
from fairlab.latent import PARTNERS, check_partner, partner, plane_basis, plane_coordinates

FACE = 120  # pixels
DOTS_PER_INCH = 80


class HyperplaneView(Panel):
    """See latents as points between two hyperplanes, and choose one to see what it draws.

    Click near a point, or move the slider, which goes through the points from the farthest on the protected
    plane's negative side to the farthest on its positive side. An arrow leads from z to its partner z'.

    Parameters
    ----------
    renderer : Renderer
        Generator, hyperplanes, and classifiers (with thresholds, if no labels are given).
    z : (n, d) array, optional
        Latents; `n` random ones when None.
    labels : dict of str to (n,) array of 0 and 1, optional
        Labels of z by attribute; those of the renderer's classifiers when None.
    target, protected, kind, n, seed
        As for `PairViewer`; the arrow leads to the partner of this kind.

    Attributes
    ----------
    plane : ClickablePicture
    faces : widgets.Image
        z and z'.
    point, kind : widgets
    """

    def __init__(
        self,
        renderer: Renderer,
        z: np.ndarray | None = None,
        labels: Mapping[str, np.ndarray] | None = None,
        *,
        target: str | None = None,
        protected: str | None = None,
        kind: str = "mirrored",
        n: int = 500,
        seed: int = 0,
    ) -> None:
        self.renderer = renderer
        self.target, self.protected = renderer.roles(target, protected)
        latents = sample_latents(n, renderer.generator.latent_dim, seed) if z is None else np.asarray(z)
        self._take(latents, self._labels(latents, labels))
        self.point = self._slider()
        self.kind = choice(list(PARTNERS), check_partner(kind), "Kind of partner")
        self.plane = ClickablePicture()
        self.faces = widgets.Image(format="jpeg", layout=BESIDE_NAMES)
        self.numbers, self.read_out, self.caption = widgets.HTML(), widgets.HTML(), widgets.HTML()
        beside = widgets.VBox([self.faces, self.numbers, self.read_out], layout={"max_width": "32em"})
        super().__init__([widgets.HBox([self.plane, beside]), self.point, self.kind, self.caption])
        self._draw_background()
        self.redraw_on(self.point, self.kind, draw=self.show)
        self.plane.observe(self._click, names="clicked")
        self.attempt(self.show)

    def _take(self, z: np.ndarray, labels: Mapping[str, np.ndarray]) -> None:
        """Keep latents and labels in the slider's order, from the protected plane's negative side on."""
        order = np.argsort(self.renderer.plane(self.protected).distance(z))
        self._as_given = np.argsort(order)
        self.z, self.labels = z[order], {name: values[order] for name, values in labels.items()}
        self.coordinates = self._coordinates(self.z)

    def _slider(self) -> widgets.IntSlider:
        name = readable(self.protected)
        return widgets.IntSlider(
            len(self.z) // 2,
            0,
            len(self.z) - 1,
            description=f"Point, from not {name} to {name}",
            style={"description_width": "17em"},
            layout={"width": "42em"},
        )

    def show(self) -> None:
        """Mark the chosen point, draw the arrow to its partner, and both faces."""
        z = self.z[[self.point.value]]  # (1, d)
        planes = {
            "protected": self.renderer.plane(self.protected),
            "target": self.renderer.plane(self.target),
        }
        pair = np.concatenate([z, partner(z, **planes, kind=self.kind.value)])  # (2, d)
        frame = self.renderer.frame(pair, size=FACE).checked()
        start, end = self._coordinates(pair)
        self._ring.set_data(start[:1], start[1:])
        self._arrow.xy, self._arrow.xyann = tuple(end), tuple(start)
        self.plane.value = self._overlay.jpeg()
        self.faces.value = frame.jpeg
        self.numbers.value = face_table("", ("z", "z'"), frame, FACE, distances=True)
        self.read_out.value = words(self._describe())
        self.plane.alt = f"{len(self.z)} latents and both hyperplanes. {self._describe()}"

    def _describe(self) -> str:
        row = self.point.value
        names = (self.target, self.protected)
        seen = " and ".join(with_or_without(name)[int(self.labels[name][row])] for name in names)
        return f"Point {row} of {len(self.z)}, labelled {seen}; the arrow leads to its partner z'."

    def _labels(self, z: np.ndarray, given: Mapping[str, np.ndarray] | None) -> dict[str, np.ndarray]:
        """Return the labels given, or those of the renderer's classifiers: (n,) each."""
        names = (self.target, self.protected)
        if given is None:
            scores = self.renderer.scores(self.renderer.images(z))
            return {name: self.renderer.labels(scores, name) for name in names}
        for name in names:
            if name not in given:
                raise UserError(f"The labels of {name} are missing; give them in labels={{...}}.")
            shape, n = np.shape(given[name]), len(z)
            if shape != (n,):
                raise UserError(f"The labels of {name} have shape {shape} for {n} latents; give one each.")
        return {name: np.asarray(given[name]) for name in names}

    def _coordinates(self, z: np.ndarray) -> np.ndarray:
        """Where latents lie in the plane of the two normals, (n, 2)."""
        return plane_coordinates(z, self.renderer.plane(self.target), self.renderer.plane(self.protected))

    def _draw_background(self) -> None:
        """Draw points and lines once; only ring and arrow move."""
        target, protected = self.renderer.plane(self.target), self.renderer.plane(self.protected)
        basis = plane_basis(target, protected)
        lines = (Line.of(target, basis, self.target), Line.of(protected, basis, self.protected))
        rows = self._as_given  # of very many, the first are drawn: those of either side alike
        labels = self.labels[self.target][rows], self.labels[self.protected][rows]
        coordinates = self.coordinates[rows]
        picture = latent_plane(coordinates, *labels, lines)
        self.caption.value = words(picture.text)
        self._axis = picture.figure.axes[0]
        ring: dict[str, Any] = {
            "markersize": 12,
            "markerfacecolor": YELLOW,
            "markeredgecolor": INK,
            "markeredgewidth": 2,
        }
        (self._ring,) = self._axis.plot([], [], "o", **ring, zorder=9)
        arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 2}
        # A partner may lie off the page; unclipped, the arrow still shows where it went.
        self._arrow: Annotation = self._axis.annotate(
            "", (0, 0), (0, 0), arrowprops=arrow, annotation_clip=False, zorder=10
        )
        self._overlay = Overlay(picture.figure, [self._ring, self._arrow], dpi=DOTS_PER_INCH)

    def _click(self, change: dict[str, Any]) -> None:
        if change["new"]:  # else it was set back
            self.attempt(self._choose_nearest)

    def _choose_nearest(self) -> None:
        """Choose the point nearest to where the picture was clicked."""
        pixels = np.array([self.plane.clicked]) * self._overlay.size
        places = self._overlay.to_pixels(self._axis, self.coordinates)
        self.point.value = int(((places - pixels) ** 2).sum(axis=1).argmin())
        self.plane.clicked = []  # so that a second click at the same place counts
