"""Nuisance factors of drawn faces, read off pictures by a regression.

A partner should change one attribute and leave the rest of the face alone: skin tone, position, light,
background. Generated faces carry no such numbers. A ridge regression learns to read them from drawn faces,
which do, as far as a linear function of small pixels and of the oracle's features can; how well it reads
each of them on unseen faces is counted and kept beside it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fairlab.classifiers.images import ImageArray
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Store
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.factors import NUISANCE, Factors
from fairlab.data.synthfaces.law import sample_factors, sample_independent_factors
from fairlab.data.synthfaces.source import SynthFacesSource
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.workspace.reader import SIZE, AttributeReader

#: What the drawing uses as an angle or a hue: 0 and 1 mean the same.
PERIODIC: tuple[str, ...] = (
    "background_hue",
    "background_angle",
    "hair_phase",
    "hat_hue",
    "clothing_hue",
    "tie_hue",
)
#: Everything that moves something.
READ: tuple[str, ...] = tuple(name for name in NUISANCE if not name.startswith("spare"))

COUNTS = (6_000, 2_000)  # faces to learn from, and faces with CelebA's associations to count on
SEED = 2_000_000  # far from the seeds of runs and of the oracle, so that they share no face
LEAST_R2 = 0.5  # what is read less well than this tells too little of a single face
PIXELS = 16  # side of the small pictures that are read
PENALTY = 100.0  # the ridge's alpha on standardised inputs; a tenth of it reads no better


@dataclass(frozen=True)
class NuisanceReader:
    """A linear reader of nuisance, and how well it reads.

    Attributes
    ----------
    oracle : AttributeReader
        Gives the features.
    weights, intercept : arrays (f, c) and (c,)
        From features and small pixels to the columns of `encode`.
    accuracy : DataFrame
        Index: nuisance. Columns value (R² on unseen drawn faces), low, high (95%, bootstrap over these
        faces), n, and kept (whether the value reaches 0.5).
    fingerprint : str
        Of all that the weights were made from.
    """

    oracle: AttributeReader
    weights: np.ndarray
    intercept: np.ndarray
    accuracy: pd.DataFrame
    fingerprint: str

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the nuisance that it reads well enough."""
        return tuple(self.accuracy.index[self.accuracy["kept"]])

    def read(self, images: ImageArray) -> np.ndarray:
        """Return what (n, h, w, 3) uint8 images show: (n, c), columns as those of `encode`."""
        readings: np.ndarray = _inputs(self.oracle, images) @ self.weights + self.intercept
        return readings

    @staticmethod
    def columns(name: str) -> list[int]:
        """Return which columns of a reading belong to a nuisance: one, or cosine and sine."""
        owners = [owner for owner in READ for _ in range(2 if owner in PERIODIC else 1)]
        return [column for column, owner in enumerate(owners) if owner == name]


def nuisance_reader(oracle: AttributeReader, home: Path, counts: tuple[int, int] = COUNTS) -> NuisanceReader:
    """Return the reader of nuisance, fitted once into ``home/readers``; it takes about half a minute.

    Parameters
    ----------
    oracle : AttributeReader
        Whose features are read.
    home : Path
        As of a `Run`.
    counts : (int, int)
        Faces with independent attributes to learn from, and faces with CelebA's associations on which its
        accuracy is counted, with other seeds than those of any run.
    """
    drawing = SynthFacesSource(*counts, 0, seed=SEED).fingerprint(SIZE)  # changes with the drawing's code
    config = {"counts": counts, "seed": SEED, "pixels": PIXELS, "penalty": PENALTY}
    inputs = {"oracle": oracle.fingerprint, "drawing": drawing}

    def make(folder: Path) -> None:
        train, test = _faces(counts)
        model = make_pipeline(StandardScaler(), Ridge(alpha=PENALTY))
        model.fit(_inputs(oracle, draw(train, SIZE)), encode(train.nuisance))
        scaler, ridge = model[0], model[1]
        weights = ridge.coef_.T / scaler.scale_[:, None]  # (f, c): the scaling goes into the weights
        save_array(folder / "weights.npy", weights)
        save_array(folder / "intercept.npy", ridge.intercept_ - scaler.mean_ @ weights)
        save_array(folder / "read.npy", model.predict(_inputs(oracle, draw(test, SIZE))))

    store = Store(home / "readers", shared=True)
    step = store.shared_step("nuisance", make, config=config, inputs=inputs)
    weights, intercept, read = (
        load_array(step.folder / f"{f}.npy") for f in ("weights", "intercept", "read")
    )
    truth = encode(_faces(counts)[1].nuisance)
    return NuisanceReader(oracle, weights, intercept, _accuracy(truth, read), step.fingerprint)


def encode(nuisance: np.ndarray) -> np.ndarray:
    """Return what is read, (n, c): each of `READ` as it is, or cosine and sine where it is periodic.

    Parameters
    ----------
    nuisance : ndarray, (n, len(NUISANCE))
        As `Factors.nuisance`, in [0, 1).
    """
    columns: list[np.ndarray] = []
    for name in READ:
        values = nuisance[:, NUISANCE.index(name)].astype(np.float64)
        turn = 2 * np.pi * values
        columns += [np.cos(turn), np.sin(turn)] if name in PERIODIC else [values]
    return np.stack(columns, axis=1)


def _faces(counts: tuple[int, int]) -> tuple[Factors, Factors]:
    return (
        sample_independent_factors(counts[0], seed=SEED, stream="train"),
        sample_factors(counts[1], seed=SEED, stream="valid"),
    )


def _inputs(oracle: AttributeReader, images: ImageArray) -> np.ndarray:
    """Return features and small pixels side by side, (n, f) float64."""
    pixels = [_small(images[np.arange(i, min(i + 512, len(images)))]) for i in range(0, len(images), 512)]
    return np.hstack([oracle.features(images), np.concatenate(pixels)]).astype(np.float64)


def _small(images: np.ndarray) -> np.ndarray:
    """Average areas down to PIXELS: (n, h, h, 3) uint8 -> (n, PIXELS * PIXELS * 3) in [0, 1]."""
    n, side = len(images), images.shape[1] // PIXELS
    blocks = images.reshape(n, PIXELS, side, PIXELS, side, 3)
    return blocks.mean(axis=(2, 4)).reshape(n, -1) / 255


def _accuracy(truth: np.ndarray, read: np.ndarray, n_resamples: int = 400) -> pd.DataFrame:
    """Return R² of each nuisance with its interval; cosine and sine count as one two-dimensional value."""
    n = len(truth)
    sums = np.stack([(truth - read) ** 2, truth**2, truth], axis=2)  # (n, c, 3)
    chunks = resample_counts([np.arange(n)], n_resamples, np.random.default_rng(SEED))
    counts = np.concatenate([np.ones((1, n), np.int32), *chunks])  # (1 + resamples, n)
    error, square, mean = np.moveaxis(np.tensordot(counts / n, sums, axes=1), 2, 0)  # (1 + resamples, c)
    rows = []
    for name in READ:
        own = NuisanceReader.columns(name)
        r2 = 1 - error[:, own].sum(axis=1) / (square - mean**2)[:, own].sum(axis=1)  # (1 + resamples,)
        rows.append((r2[0], *np.quantile(r2[1:], (0.025, 0.975)), n, bool(r2[0] >= LEAST_R2)))
    index = pd.Index(READ, name="nuisance")
    return pd.DataFrame(rows, index=index, columns=["value", "low", "high", "n", "kept"])
