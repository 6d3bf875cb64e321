"""Measures of a generator, as one tidy table.

The feature space is that of a network trained to read face attributes, not Inception's: its weights are here
without a download, and it was trained to see what matters in a face (an Inception network never saw one
labelled). Distances in one feature space say nothing about distances in another; `inception` adds the usual
ones where their weights can be had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from fairlab.core.errors import UserError
from fairlab.data import FaceData
from fairlab.generators import Generator, generate, sample_latents
from fairlab.generators.inception import inception_features
from fairlab.generators.measures import frechet_distance, nearest_neighbours, precision_and_recall
from fairlab.latent import Hyperplane
from fairlab.metrics.intervals.proportion import proportion
from fairlab.workspace.reader import AttributeReader

COLUMNS = ("measure", "attribute", "value", "low", "high", "unit", "n", "note")
N_COMPARED = 10_000  # images of either set for distances, precision and recall
N_COPIES = 2_000  # generated images whose nearest training image is looked up
LEAST = 200  # images of every kind
TOLERANCE = 5.0  # points within which a generator draws an attribute as often as the training images show it


class Row(NamedTuple):
    """One measure, of the whole generator or of one attribute; a share in [0, 1] or a plain number."""

    measure: str
    value: float
    low: float
    high: float
    n: int
    note: str = ""
    attribute: str = ""
    unit: str = "share"


@dataclass(frozen=True)
class Sample:
    """Images with what the reader makes of them: labels (n, k) and features (n, d)."""

    images: np.ndarray
    labels: np.ndarray
    features: np.ndarray

    @classmethod
    def read(cls, images: np.ndarray, reader: AttributeReader) -> Sample:
        """Read attributes and features off (n, h, w, 3) uint8 images."""
        return cls(images, reader.labels(images), reader.features(images))


@dataclass(frozen=True)
class Samples:
    """What is compared: training images, real ones that no training saw, and generated ones with latents."""

    training: Sample
    unseen: Sample
    generated: Sample
    z: np.ndarray
    n_fit: int

    @classmethod
    def draw(
        cls,
        generator: Generator,
        data: FaceData,
        reader: AttributeReader,
        *,
        n_fit: int,
        n_held_out: int,
        seed: int,
    ) -> Samples:
        """Draw generated images, and read all three kinds; at most `N_COMPARED` unseen ones.

        Hyperplanes are fitted on the first `n_fit` latents and counted on the other `n_held_out`.

        Raises
        ------
        UserError
            If there are fewer than `LEAST` images of a kind.
        """
        z = sample_latents(n_fit + n_held_out, generator.latent_dim, seed)
        images = {
            "training": data.split_images("train"),
            "unseen": data.split_images("test")[:N_COMPARED],
            "generated": generate(generator, z, size=data.size),
        }
        for kind, pictures in images.items():
            if len(pictures) < LEAST:
                raise UserError(
                    f"A generator's report needs at least {LEAST} {kind} images, not {len(pictures)}."
                )
        return cls(
            **{kind: Sample.read(pictures, reader) for kind, pictures in images.items()}, z=z, n_fit=n_fit
        )


def measure_generator(
    samples: Samples, reader: AttributeReader, *, seed: int = 0, inception: bool = False
) -> pd.DataFrame:
    """Return the tidy table of all measures.

    Parameters
    ----------
    samples : Samples
        From `Samples.draw`.
    reader : AttributeReader
        The one that read the samples; its own accuracy stands in the table.
    seed : int
        Of the bootstrap and of the training images that are compared.
    inception : bool
        Whether to compare in Inception's feature space too.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; rows without an attribute speak of the whole generator.
    """
    spaces = {"": lambda sample: sample.features}
    if inception:
        spaces[" (Inception)"] = lambda sample: inception_features(sample.images[:N_COMPARED], reader.device)
    rows = [row for name, space in spaces.items() for row in _compare(samples, name, space, seed)]
    rows += [_copies(samples), *_attributes(samples, reader)]
    table = pd.DataFrame(rows)[list(COLUMNS)]
    return pd.concat([pd.DataFrame([_near_frequencies(table)])[list(COLUMNS)], table], ignore_index=True)


def _compare(samples: Samples, name: str, space: Callable[[Sample], np.ndarray], seed: int) -> Iterator[Row]:
    """Compare as many training, unseen and generated images in one feature space."""
    training, unseen, generated = map(space, (samples.training, samples.unseen, samples.generated))
    n = min(N_COMPARED, len(training), len(unseen), len(generated))
    chosen = np.random.default_rng(seed).permutation(len(training))[:n]
    features = training[chosen], unseen[:n], generated[:n]
    for row in (*_distances(*features, seed), *_manifolds(*features)):
        yield row._replace(measure=row.measure + name)


def _distances(training: np.ndarray, unseen: np.ndarray, generated: np.ndarray, seed: int) -> Iterator[Row]:
    for name, other, note in (
        ("Fréchet distance", generated, "generated against training images; 0 is best"),
        ("Fréchet distance of real images", unseen, "unseen against training images: what 0 looks like here"),
    ):
        value = frechet_distance(training, other)
        low, high = _basic_interval(training, other, value, seed)
        if value > high:
            note += "; few images make the value too large, its interval allows for that"
        yield Row(name, value, low, high, len(other), note, unit="squared distance")


def _basic_interval(
    first: np.ndarray, second: np.ndarray, value: float, seed: int, n_resamples: int = 50
) -> tuple[float, float]:
    """Mirror the percentiles at the value: a resample is too far away by as much as its sample is."""
    random = np.random.default_rng(seed)
    draws = []
    for _ in tqdm(range(n_resamples), desc="Fréchet distance", leave=False):
        rows = random.integers(len(first), size=(2, len(first)))
        draws.append(frechet_distance(first[rows[0]], second[rows[1]]))
    low, high = np.quantile(draws, (0.025, 0.975))
    return max(0.0, 2 * value - high), max(0.0, 2 * value - low)


def _manifolds(training: np.ndarray, unseen: np.ndarray, generated: np.ndarray) -> Iterator[Row]:
    drawn, real = (precision_and_recall(training, other) for other in (generated, unseen))
    for name, count, limit, n, note in (
        ("precision", drawn.realistic, real.precision, drawn.n_generated, "generated images that look real"),
        ("recall", drawn.covered, real.recall, drawn.n_real, "training images that it could have drawn"),
    ):
        yield _share(name, count, n, f"{note}; unseen real images reach {100 * limit:.1f}%")


def _copies(samples: Samples) -> Row:
    """Count generated images that are nearer to a training image than 99% of unseen real ones are."""
    training = samples.training.features
    nearest = {
        kind: nearest_neighbours(sample.features[:N_COPIES], training)[1]
        for kind, sample in (("unseen", samples.unseen), ("generated", samples.generated))
    }
    near = np.quantile(nearest["unseen"], 0.01)
    note = "nearer to a training image than 99% of unseen real images are; 1% or less is no sign of copying"
    count = int((nearest["generated"] < near).sum())
    return _share("near-copies of training images", count, len(nearest["generated"]), note)


def _attributes(samples: Samples, reader: AttributeReader) -> Iterator[Row]:
    training, generated = samples.training.labels, samples.generated.labels
    names = reader.classifier.attributes
    for i, name in enumerate(tqdm(names, desc="Fitting hyperplanes")):
        yield _share("reader is right", *reader.right[name], attribute=name)
        yield _share("frequency in training images", int(training[:, i].sum()), len(training), attribute=name)
        yield _share(
            "frequency in generated images", int(generated[:, i].sum()), len(generated), attribute=name
        )
        yield from _separability(samples, generated[:, i], name)


def _separability(samples: Samples, labels: np.ndarray, name: str) -> Iterator[Row]:
    z, fit, held_out = samples.z, slice(0, samples.n_fit), slice(samples.n_fit, len(samples.z))
    measure, n = "held-out accuracy of a hyperplane", len(labels[held_out])
    commoner = max(labels[held_out].sum(), n - labels[held_out].sum())
    yield _share("always guessing", int(commoner), n, attribute=name)
    if len(np.unique(labels[fit])) < 2:
        yield Row(measure, np.nan, np.nan, np.nan, n, "all generated images agree", name)
        return
    plane = Hyperplane.fit(z[fit], labels[fit])
    right = (plane.distance(z[held_out]) > 0) == labels[held_out]
    yield _share(measure, int(right.sum()), n, attribute=name)


def _near_frequencies(table: pd.DataFrame) -> dict[str, Any]:
    drawn, real = (
        table[table["measure"] == f"frequency in {kind} images"].set_index("attribute")["value"]
        for kind in ("generated", "training")
    )
    near = int((100 * (drawn - real).abs() <= TOLERANCE).sum())
    note = f"of {len(real)} attributes: drawn as often as in training to {TOLERANCE:.0f} points"
    row = Row("attributes drawn as often", near, np.nan, np.nan, len(real), note, unit="attributes")
    return row._asdict()


def _share(measure: str, count: int, n: int, note: str = "", attribute: str = "") -> Row:
    share = proportion(count, n)
    return Row(measure, share.value, share.low, share.high, n, note, attribute)
