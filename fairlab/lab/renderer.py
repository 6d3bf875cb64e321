"""The renderer: latents and edits in, JPEG bytes and scores out.

Widgets, headless notebooks and tests call the same function. What it has drawn before comes from a cache.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from fairlab.classifiers import Classifier
from fairlab.core.errors import UserError, nearest_names
from fairlab.generators import Generator, generate
from fairlab.lab.panel import error_text
from fairlab.latent import Hyperplane, walk

#: How far to walk across a hyperplane: one number, or one for each latent.
Step = float | Sequence[float] | np.ndarray

#: Scores images (n, h, w, 3) uint8; returns (n,) in [0, 1].
Scorer = Callable[[np.ndarray], np.ndarray]

FRAMES_KEPT = 512  # of about 10 kB each
GAP = 4  # pixels between faces
DECIMALS = 4  # arguments that agree to this many digits give one picture


@dataclass(frozen=True)
class Frame:
    """Faces of n latents, side by side, and what is measured of them.

    Attributes
    ----------
    jpeg : bytes
        The picture; empty if there is an `error`.
    scores : dict of str to (n,) array
        What each classifier says, in [0, 1].
    distances : dict of str to (n,) array
        Signed distance to each hyperplane.
    error : str
        Why there is no picture; empty if there is one.
    """

    jpeg: bytes = b""
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    distances: Mapping[str, np.ndarray] = field(default_factory=dict)
    error: str = ""

    def checked(self) -> Frame:
        """Return the frame; raise its error as a UserError if there is one."""
        if self.error:
            raise UserError(self.error)
        return self


class Renderer:
    """Draws latents with a generator, and measures the faces with classifiers and hyperplanes.

    Parameters
    ----------
    generator : Generator
        Any generator of `fairlab.generators`.
    classifiers : dict of str to Classifier or callable
        By attribute name: a FairLab classifier that knows the attribute, or any function that maps images
        (n, h, w, 3) uint8 to scores (n,) in [0, 1].
    planes : dict of str to Hyperplane
        By attribute name. Where a widget needs a target and a protected attribute and is not told which, the
        first plane is the target's and the second the protected attribute's.
    thresholds : dict of str to float, optional
        Scores above them count as the label; without one, no label is named.
    image_size : int, optional
        Pixels of the images that the classifiers get; the generator's resolution when None.

    Examples
    --------
    >>> from fairlab.generators import sample_latents, shipped_generator
    >>> import numpy as np
    >>> def brightness(images):
    ...     return images.mean(axis=(1, 2, 3)) / 255
    >>> generator, plane = shipped_generator(), Hyperplane(np.eye(512)[0], 0.0)
    >>> renderer = Renderer(generator, {"Bright": brightness}, {"Bright": plane})
    >>> frame = renderer.frame(sample_latents(3, 512, seed=0), {"Bright": 1.5})
    >>> frame.scores["Bright"].shape
    (3,)
    """

    def __init__(
        self,
        generator: Generator,
        classifiers: Mapping[str, Classifier | Scorer],
        planes: Mapping[str, Hyperplane] | None = None,
        *,
        thresholds: Mapping[str, float] | None = None,
        image_size: int | None = None,
    ) -> None:
        self.generator = generator
        self.scorers = {name: as_scorer(name, given) for name, given in classifiers.items()}
        self.planes = dict(planes or {})
        self.thresholds = dict(thresholds or {})
        self.image_size = image_size or generator.resolution
        self._cached = lru_cache(FRAMES_KEPT)(self._draw)
        for name, plane in self.planes.items():
            if plane.dimension != generator.latent_dim:
                raise UserError(
                    f"The hyperplane of {name} has {plane.dimension} dimensions and the generator's latents "
                    f"have {generator.latent_dim}; fit it on latents of this generator."
                )

    def frame(
        self,
        z: np.ndarray,
        steps: Mapping[str, Step] | None = None,
        *,
        conditioned: bool = True,
        size: int = 256,
    ) -> Frame:
        """Return the faces of latents after steps across hyperplanes; never raises.

        Parameters
        ----------
        z : (n, d) or (d,) array
            Latents.
        steps : dict of str to float or (n,) floats, optional
            How far to walk across each named hyperplane, from every latent; see `fairlab.latent.walk`.
        conditioned : bool
            Whether the distances to all other planes of this renderer stay.
        size : int
            Side of each face in the picture, in pixels.
        """
        try:
            latents = self.walked(z, steps or {}, conditioned=conditioned)
            rounded = np.round(latents, DECIMALS) + 0.0  # no -0.0
            return self._cached(rounded.tobytes(), len(rounded), size)
        except Exception as error:
            return Frame(error=error_text(error))

    def walked(self, z: np.ndarray, steps: Mapping[str, Step], *, conditioned: bool = True) -> np.ndarray:
        """Return the latents after the steps, (n, d) float64; arguments as for `frame`."""
        for name in steps:
            self.plane(name)
        latents = np.atleast_2d(np.asarray(z, dtype=np.float64))  # (n, d)
        wanted = np.zeros((len(latents), len(self.planes)))
        for column, name in enumerate(self.planes):
            wanted[:, column] = steps.get(name, 0.0)
        if not wanted.any():
            return latents
        return walk(latents, list(self.planes.values()), wanted, conditioned=conditioned)

    def plane(self, name: str) -> Hyperplane:
        """Return the hyperplane of an attribute.

        Raises
        ------
        UserError
            If there is none.
        """
        if name not in self.planes:
            raise UserError(f"There is no hyperplane of '{name}'; {nearest_names(name, self.planes)}")
        return self.planes[name]

    def roles(self, target: str | None, protected: str | None) -> tuple[str, str]:
        """Return the names of target and protected attribute: those given, else the first two planes.

        Raises
        ------
        UserError
            If one of the two has no hyperplane, or both are the same.
        """
        if len(self.planes) < 2 and not (target and protected):
            raise UserError(
                "Pairs need two hyperplanes, the target's and the protected attribute's; "
                "give both in planes={...}."
            )
        first, second, *_ = [*self.planes, "", ""]
        names = target or first, protected or second
        for name in names:
            self.plane(name)
        if names[0] == names[1]:
            raise UserError(f"Target and protected attribute are both '{names[0]}'; give two different ones.")
        return names

    def images(self, z: np.ndarray) -> np.ndarray:
        """Draw latents (n, d): (n, h, w, 3) uint8."""
        return generate(self.generator, z, size=self.image_size, progress=False)

    def scores(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Score images (n, h, w, 3) uint8 with every classifier: (n,) each."""
        return {name: score(images) for name, score in self.scorers.items()}

    def labels(self, scores: Mapping[str, np.ndarray], name: str) -> np.ndarray:
        """Turn one attribute's scores into 0/1 labels, (n,).

        Raises
        ------
        UserError
            If the attribute has no classifier or no threshold.
        """
        for what, known in (("classifier", scores), ("threshold", self.thresholds)):
            if name not in known:
                raise UserError(
                    f"There is no {what} of '{name}', so faces cannot be labelled; "
                    f"give one in {what}s={{...}}."
                )
        return (scores[name] > self.thresholds[name]).astype(np.uint8)

    def _draw(self, latents: bytes, n: int, size: int) -> Frame:
        z = np.frombuffer(latents).reshape(n, -1).copy()  # (n, d), writable for torch
        images = self.images(z)
        distances = {name: plane.distance(z) for name, plane in self.planes.items()}
        return Frame(encode(images, size), self.scores(images), distances)


def as_scorer(name: str, classifier: Classifier | Scorer) -> Scorer:
    """Return a function that scores images for one attribute, (n, h, w, 3) uint8 -> (n,)."""
    if not isinstance(classifier, Classifier):
        return lambda images: _checked_scores(name, classifier(images), len(images))
    if name not in classifier.attributes:
        raise UserError(
            f"This classifier does not know '{name}'; {nearest_names(name, classifier.attributes)}"
        )
    column = classifier.attributes.index(name)
    return lambda images: classifier.score(images, progress=False)[:, column]


def _checked_scores(name: str, scores: np.ndarray, n: int) -> np.ndarray:
    values = np.asarray(scores, dtype=np.float64)
    values = values[:, 0] if values.shape == (n, 1) else values
    if values.shape != (n,) or not ((values >= 0) & (values <= 1)).all():
        raise UserError(
            f"The classifier of {name} must give {n} scores in [0, 1] for {n} images, but gave an array of "
            f"shape {values.shape}; wrap it in a function that returns shape (n,)."
        )
    return values


def encode(images: np.ndarray, size: int) -> bytes:
    """Lay images (n, h, w, 3) uint8 out side by side, each `size` pixels wide, as one JPEG."""
    sheet = Image.new("RGB", (len(images) * (size + GAP) - GAP, size), "white")
    for column, image in enumerate(images):
        face = Image.fromarray(image).resize((size, size), Image.Resampling.LANCZOS)
        sheet.paste(face, (column * (size + GAP), 0))
    return jpeg(sheet)


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    """Encode a picture as JPEG; options are Pillow's."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()
