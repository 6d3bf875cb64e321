"""Latents, their partners, and whether the classifiers see the one label kept and the other flipped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairlab.figures.style import readable
from fairlab.lab.renderer import Renderer
from fairlab.latent import partner
from fairlab.metrics.intervals.proportion import proportion


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


FILTERS: tuple[str, ...] = ("all", "target label lost", "protected label not flipped", "both as intended")
