"""The pair viewer: z and its partner z' side by side, and the way from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import ipywidgets as widgets
import numpy as np

from fairlab.figures.style import readable
from fairlab.generators import sample_latents
from fairlab.lab.bars import BESIDE_NAMES, face_table
from fairlab.lab.panel import Panel, choice, words
from fairlab.lab.renderer import Frame, Renderer
from fairlab.latent import PARTNERS, check_partner, partner
from fairlab.metrics.intervals.proportion import proportion

FACE, STRIP_FACE = 192, 84  # pixels
WAY = np.linspace(0.0, 1.0, 7)  # the strip's places between z and z'
FILTERS: tuple[str, ...] = ("all", "target label lost", "protected label not flipped", "both as intended")


@dataclass(frozen=True)
class Pairs:
    """n latents z, their partners z', and what classifiers say of both.

    Attributes
    ----------
    z, partners : (n, d) arrays
    kept, flipped : (n,) bool arrays
        Whether z and z' have the same target label, and different protected labels.
    """

    z: np.ndarray
    partners: np.ndarray
    kept: np.ndarray
    flipped: np.ndarray

    @classmethod
    def make(cls, renderer: Renderer, z: np.ndarray, target: str, protected: str, kind: str) -> Pairs:
        """Build partners and compare the labels that the renderer's classifiers give.

        Raises
        ------
        UserError
            If a hyperplane, a classifier or a threshold is missing, or the kind is unknown.
        """
        planes = {"protected": renderer.plane(protected), "target": renderer.plane(target)}
        partners = partner(z, **planes, kind=kind)
        scores = [renderer.scores(renderer.images(latents)) for latents in (z, partners)]
        labels = {name: [renderer.labels(s, name) for s in scores] for name in (target, protected)}
        same = {name: before == after for name, (before, after) in labels.items()}
        return cls(np.asarray(z), partners, same[target], ~same[protected])

    def chosen(self, which: str) -> np.ndarray:
        """Return the rows of the pairs that one of the `FILTERS` lets through."""
        kept, flipped = self.kept, self.flipped
        rows = {
            "all": np.ones(len(self.z), dtype=bool),
            "target label lost": ~kept,
            "protected label not flipped": ~flipped,
            "both as intended": kept & flipped,
        }
        return np.flatnonzero(rows[which])

    def summary(self, target: str, protected: str) -> str:
        """Say how many pairs do what they should, with 95% intervals."""
        kept, flipped, both = (
            proportion(int(x.sum()), len(x)) for x in (self.kept, self.flipped, self.kept & self.flipped)
        )
        return (
            f"By the classifiers' labels, {kept} keep the label {readable(target)}, {flipped} flip the label "
            f"{readable(protected)}, {both} do both."
        )


class PairViewer(Panel):
    """Look at pairs one by one: did z' keep the target label and flip the protected one?

    Parameters
    ----------
    renderer : Renderer
        Generator, hyperplanes, and classifiers with thresholds.
    z : (n, d) array, optional
        Latents to build partners for; `n` random ones when None.
    target, protected : str, optional
        Attributes with hyperplane, classifier and threshold; by default the renderer's first two planes.
    kind : str
        Which partner; see `fairlab.latent.partner`.
    n, seed : int
        Of random latents.

    Attributes
    ----------
    picture : widgets.Image
        z, the face on the way, and z'.
    kind, show_only, pair, step : widgets
    """

    def __init__(
        self,
        renderer: Renderer,
        z: np.ndarray | None = None,
        *,
        target: str | None = None,
        protected: str | None = None,
        kind: str = "mirrored",
        n: int = 100,
        seed: int = 0,
    ) -> None:
        self.renderer = renderer
        self.target, self.protected = renderer.roles(target, protected)
        self.z = sample_latents(n, renderer.generator.latent_dim, seed) if z is None else np.asarray(z)
        roles = self.target, self.protected
        self._made = lru_cache(len(PARTNERS))(lambda kind: Pairs.make(renderer, self.z, *roles, kind))
        self.picture = widgets.Image(format="jpeg", layout=BESIDE_NAMES)
        self.strip = widgets.Image(format="jpeg", layout=BESIDE_NAMES)
        self.numbers, self.strip_numbers = widgets.HTML(), widgets.HTML()
        self.read_out, self.summary = widgets.HTML(), widgets.HTML()
        wide = {"style": {"description_width": "12em"}, "layout": {"width": "42em"}}
        self.kind = choice(list(PARTNERS), check_partner(kind), "Kind of partner")
        self.show_only = choice(FILTERS, FILTERS[0], "Show pairs")
        self.pair = widgets.IntSlider(0, 0, max(0, len(self.z) - 1), description="Pair", **wide)
        self.step = widgets.FloatSlider(0.5, min=0, max=1, step=0.02, description="Step from z to z'", **wide)
        controls = widgets.HBox([self.kind, self.show_only])
        faces = [self.picture, self.numbers, self.read_out, self.strip, self.strip_numbers]
        super().__init__([controls, self.summary, self.pair, self.step, *faces])
        self.redraw_on(self.kind, self.show_only, draw=self._choose)
        self.redraw_on(self.pair, draw=self.show)
        self.redraw_on(self.step, draw=self._show_faces)
        self.attempt(self._choose)

    @property
    def pairs(self) -> Pairs:
        """All pairs of the chosen kind."""
        return self._made(self.kind.value)

    @property
    def row(self) -> int | None:
        """Row of the pair that is shown; None where the filter lets none through."""
        rows = self.pairs.chosen(self.show_only.value)
        return int(rows[min(self.pair.value, len(rows) - 1)]) if len(rows) else None

    def show(self) -> None:
        """Draw the pair, and the strip from z to z'."""
        self._show_faces()
        if self.row is not None:
            frame = self._on_the_way(self.row, WAY, STRIP_FACE)
            self.strip.value = frame.jpeg
            self.strip.alt = f"{len(WAY)} faces on the way from z to z'; the numbers are below."
            heads = [f"{100 * step:.0f}%" for step in WAY]
            self.strip_numbers.value = face_table("way from z to z'", heads, frame, STRIP_FACE)

    def _choose(self) -> None:
        """Take up another kind or filter: the pairs, their count and the first of them."""
        found = self.pairs.chosen(self.show_only.value)
        self.summary.value = words(
            f"{len(found)} of {len(self.z)} pairs shown. {self.pairs.summary(self.target, self.protected)}"
        )
        self.pair.value = 0
        self.pair.max = max(0, len(found) - 1)
        self.show()

    def _show_faces(self) -> None:
        row = self.row
        if row is None:
            for picture, numbers in ((self.picture, self.numbers), (self.strip, self.strip_numbers)):
                picture.value, numbers.value = b"", ""
            self.read_out.value = words(f"No pair of this kind is: {self.show_only.value}.")
            return
        frame = self._on_the_way(row, np.array([0.0, self.step.value, 1.0]), FACE)
        self.picture.value = frame.jpeg
        heads = ("z", f"{100 * self.step.value:.0f}% of the way", "z'")
        self.numbers.value = face_table("", heads, frame, FACE, distances=True)
        self.picture.alt = self._describe(row, frame)
        self.read_out.value = words(self.picture.alt)

    def _on_the_way(self, row: int, steps: np.ndarray, size: int) -> Frame:
        z, partner = self.pairs.z[row], self.pairs.partners[row]
        return self.renderer.frame(z + steps[:, None] * (partner - z), size=size).checked()  # (steps, d)

    def _describe(self, row: int, frame: Frame) -> str:
        """Say what z and z' score, and whether the pair does what it should."""
        target, protected = readable(self.target), readable(self.protected)
        scores = ", ".join(
            f"{readable(name)} {frame.scores[name][0]:.2f} and {frame.scores[name][-1]:.2f}"
            for name in (self.target, self.protected)
        )
        kept = "kept" if self.pairs.kept[row] else "lost"
        flipped = "flipped" if self.pairs.flipped[row] else "not flipped"
        return (
            f"Pair {row}: scores of z and z': {scores}. The label {target} is {kept}, {protected} {flipped}."
        )
