"""The latent explorer: one face, sliders along the attributes' normals, live scores and distances."""

from collections.abc import Mapping

import ipywidgets as widgets
import numpy as np

from fairlab.figures.style import readable
from fairlab.generators import sample_latents
from fairlab.lab.bars import BESIDE_NAMES, distance_bars, face_table, score_bars, verdict
from fairlab.lab.panel import WIDE, Panel, words
from fairlab.lab.renderer import Renderer, Step

REACH = 4.0  # how far sliders go to either side, in standard deviations of the latents
TRAVERSE = np.linspace(-REACH, REACH, 9)
FACE, STRIP_FACE = 256, 68  # pixels


class LatentExplorer(Panel):
    """Walk from a random face along the normals of hyperplanes and see what changes.

    Each slider is a walk across one hyperplane. "Keep the other distances" conditions them on each other: the
    face moves across one plane and stays where it is with respect to all others. Below are faces along the
    whole walk of the slider that was moved last.

    Parameters
    ----------
    renderer : Renderer
        Generator, classifiers and hyperplanes; a slider is made for each plane.
    seed : int
        Of the first face.
    conditioned : bool
        Whether the other distances stay.

    Attributes
    ----------
    picture, strip : widgets.Image
    sliders : dict of str to FloatSlider
    seed, conditioned, reset : widgets
    """

    def __init__(self, renderer: Renderer, *, seed: int = 0, conditioned: bool = True) -> None:
        self.renderer = renderer
        self.picture = widgets.Image(format="jpeg", width=FACE, height=FACE)
        self.strip = widgets.Image(format="jpeg", layout=BESIDE_NAMES)
        self.numbers, self.read_out, self.strip_words = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.sliders = {name: _slider(name) for name in renderer.planes}
        self.seed = widgets.BoundedIntText(seed, 0, 2**31 - 1, description="Seed of the face", style=WIDE)
        self.conditioned = widgets.Checkbox(conditioned, description="Keep the other distances", indent=False)
        self.reset = widgets.Button(description="Reset sliders")
        self._along = next(iter(self.sliders), None)
        controls = [self.seed] + ([self.conditioned, self.reset] if self.sliders else [])
        face = [widgets.HBox([self.picture, self.numbers]), widgets.HBox(controls), *self.sliders.values()]
        super().__init__([*face, self.read_out, self.strip, self.strip_words])
        self.redraw_on(self.seed, self.conditioned, draw=self.show)
        for name, slider in self.sliders.items():
            slider.observe(lambda change, name=name: self.attempt(lambda: self._walk(name)), names="value")
        self.reset.on_click(lambda button: self.attempt(self._reset))
        self.attempt(self.show)

    @property
    def z(self) -> np.ndarray:
        """The latent before any step, (1, d) float32."""
        return sample_latents(1, self.renderer.generator.latent_dim, self.seed.value)

    @property
    def steps(self) -> dict[str, float]:
        """How far each slider is from 0."""
        return {name: slider.value for name, slider in self.sliders.items()}

    def show(self) -> None:
        """Draw the face and its numbers, then the strip."""
        options = {"conditioned": self.conditioned.value, "size": FACE}
        frame = self.renderer.frame(self.z, self.steps, **options).checked()
        self.picture.value = frame.jpeg
        scores = {name: float(values[0]) for name, values in frame.scores.items()}
        distances = {name: float(values[0]) for name, values in frame.distances.items()}
        self.numbers.value = score_bars(scores, self.renderer.thresholds) + distance_bars(distances)
        self.picture.alt = self._describe(scores, distances)
        self.read_out.value = words(self.picture.alt)
        if self._along is not None:
            self._show_strip(self._along)

    def _walk(self, name: str) -> None:
        self._along = name
        self.show()

    def _reset(self) -> None:
        for slider in self.sliders.values():
            slider.value = 0.0

    def _show_strip(self, along: str) -> None:
        """Draw the whole walk along one normal; it depends on the other sliders only."""
        z = np.repeat(self.z, len(TRAVERSE), axis=0)  # (9, d)
        steps: dict[str, Step] = {**self.steps, along: TRAVERSE}
        options = {"conditioned": self.conditioned.value, "size": STRIP_FACE}
        frame = self.renderer.frame(z, steps, **options).checked()
        if frame.jpeg != self.strip.value:
            self.strip.value = frame.jpeg
            self.strip.alt = f"{len(TRAVERSE)} faces along {readable(along)}; the numbers are below."
            heads = [f"{step:+.1f}" for step in TRAVERSE]
            self.strip_words.value = face_table(f"step along {readable(along)}", heads, frame, STRIP_FACE)

    def _describe(self, scores: Mapping[str, float], distances: Mapping[str, float]) -> str:
        """Say in words what the face is and what is measured of it."""
        moved = [f"{readable(name)} {step:+.1f}" for name, step in self.steps.items() if step]
        thresholds = self.renderer.thresholds
        seen = [f"{readable(n)} {s:.2f}{verdict(s, thresholds.get(n))}" for n, s in scores.items()]
        sides = [f"{readable(name)} {distance:+.2f}" for name, distance in distances.items()]
        parts = [f"Face {self.seed.value}, moved by {', '.join(moved) or 'nothing'}."]
        parts += [f"Scores: {', '.join(seen)}."] if seen else []
        parts += [f"Signed distances: {', '.join(sides)}."] if sides else []
        return " ".join(parts)


def _slider(name: str) -> widgets.FloatSlider:
    return widgets.FloatSlider(
        0.0,
        min=-REACH,
        max=REACH,
        step=0.1,
        description=f"Step along {readable(name)}",
        readout_format="+.1f",
        style={"description_width": "17em"},
        layout={"width": "42em"},
    )
