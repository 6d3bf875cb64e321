"""Fidelity of pairs: what they keep and change, as independent readers see it.

Two yardsticks stand beside the partners. Exact counterfactuals are faces drawn twice, with only the protected
attribute changed: what a perfect partner would show, errors of the readers included. Random pairs are
generated faces that have nothing to do with each other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.data.attributes import ATTRIBUTES
from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.metrics.intervals.bootstrap_means import Means, bootstrap_means
from fairlab.studies.ground_truth.counterfactuals import N_FACES, counterfactual_faces, drawn_source
from fairlab.studies.ground_truth.nuisance import PERIODIC, NuisanceReader, nuisance_reader

#: The kinds of pairs that are compared.
PARTNERS, EXACT, RANDOM = "partners", "exact counterfactuals", "random pairs"

#: What is asked of every pair.
FIDELITY_METRICS: tuple[str, ...] = (
    "target kept", "protected flipped", "both", "other attributes changed",
)  # fmt: skip


class PairReadings(NamedTuple):
    """What is seen in both faces of n pairs.

    Attributes
    ----------
    labels : ndarray, (seeds, n, 2, 40) uint8
        What the oracle sees, 0 or 1, in the order of `ATTRIBUTES`.
    nuisance : ndarray, (seeds, n, 2, c)
        Readings of `NuisanceReader.read`.
    """

    labels: np.ndarray
    nuisance: np.ndarray

    @property
    def changed(self) -> np.ndarray:
        """Which attributes differ between both faces, (seeds, n, 40) bool."""
        return self.labels[:, :, 0] != self.labels[:, :, 1]


def partner_fidelity(run: Run, n: int = N_FACES) -> pd.DataFrame:
    """Return how often pairs keep the target, flip the protected attribute, and how much else they change.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    n : int
        Faces that are drawn as exact counterfactuals; all test faces if there are fewer.

    Returns
    -------
    DataFrame
        Columns pairs ("partners", "exact counterfactuals", "random pairs"), metric, value, low, high, n,
        seeds, note. Values are shares of the pairs, 0..1; "other attributes changed" is a mean, 0..38.
        95% intervals over pairs and, of partners, training seeds.

    Raises
    ------
    UserError
        If the run's images are not drawn.
    """
    tables = {}
    for kind, pairs in read_pairs(run, n).items():
        kept = ~pairs.changed[..., ATTRIBUTES.index(run.experiment.target)]  # (seeds, n)
        flipped = pairs.changed[..., ATTRIBUTES.index(run.experiment.protected)]
        values = np.stack([kept, flipped, kept & flipped, _others_changed(run, pairs)], axis=2)
        tables[kind] = _means(run, values).table(FIDELITY_METRICS, shares=FIDELITY_METRICS[:3])
    return _joined(tables)


def changed_counts(run: Run, n: int = N_FACES) -> pd.DataFrame:
    """Return the distribution of the number of other attributes that change within a pair.

    As `partner_fidelity`, with the column changed (0, 1, 2, ...) in place of metric; values are shares of the
    pairs, and those of a kind of pair add up to 1.
    """
    others = {kind: _others_changed(run, pairs) for kind, pairs in read_pairs(run, n).items()}
    numbers = np.arange(1 + max(int(counts.max()) for counts in others.values()))
    names = [str(number) for number in numbers]
    tables = {
        kind: _means(run, counts[..., None] == numbers).table(names, shares=names)
        for kind, counts in others.items()
    }
    return _joined(tables).rename(columns={"metric": "changed"}).astype({"changed": int})


def attribute_fidelity(run: Run, n: int = N_FACES) -> pd.DataFrame:
    """Return how often each attribute changes within a pair, target and protected attribute included.

    As `partner_fidelity`, with the column attribute in place of metric; values are shares of the pairs.
    """
    tables = {
        kind: _means(run, pairs.changed).table(ATTRIBUTES, shares=ATTRIBUTES)
        for kind, pairs in read_pairs(run, n).items()
    }
    return _joined(tables).rename(columns={"metric": "attribute"})


def nuisance_fidelity(run: Run, n: int = N_FACES) -> pd.DataFrame:
    """Return how much of what is not an attribute stays the same within a pair.

    As `partner_fidelity`, with a column nuisance before metric. "correlation" is that of the readings of both
    faces, -1..1 (of a hue or angle: of cosines and sines together); "absolute change" is the mean change in
    units of the nuisance's whole range, 0..1 (of a hue or angle at most 0.5). Only nuisance that is read with
    an R² of at least 0.5 is listed: see `run_nuisance_reader`.
    """
    reader, tables = run_nuisance_reader(run), {}
    for kind, pairs in read_pairs(run, n).items():
        parts = {}
        for name in reader.kept:
            means = _nuisance_means(run, name, pairs.nuisance[..., reader.columns(name)])
            parts[name] = means.table(("correlation", "absolute change"))
        tables[kind] = pd.concat(parts, names=["nuisance"]).reset_index("nuisance")
    return _joined(tables)


def run_nuisance_reader(run: Run) -> NuisanceReader:
    """Return the reader of nuisance for a run's faces; its `accuracy` says how well it reads each."""
    drawn_source(run)
    return nuisance_reader(run.reader, run.home)


def read_pairs(run: Run, n: int = N_FACES) -> dict[str, PairReadings]:
    """Return what is seen in each kind of pairs; arguments as `partner_fidelity`."""
    drawn_source(run)
    z = _read(run, "z", run.pairs(0).source, run.pairs(0).rows)
    moved = [_read(run, f"seed{s}", run.pairs(s).partners, slice(None)) for s in range(run.experiment.seeds)]
    faces = counterfactual_faces(run, n)
    drawn = _read(run, f"counterfactuals-{len(faces.factors)}", faces.step, slice(None))

    def with_partners(what: int) -> np.ndarray:
        """Pair what is seen in z with what is seen in its partners, (seeds, n, 2, c)."""
        n_pairs = len(z[what])
        return np.stack([np.stack([z[what], partners[what][:n_pairs]], axis=1) for partners in moved])

    return {
        PARTNERS: PairReadings(with_partners(0), with_partners(1)),
        EXACT: PairReadings(*(_halves(values) for values in drawn)),
        RANDOM: PairReadings(*(_halves(values) for values in z)),
    }


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one table of all kinds of pairs, with the kind in the first column."""
    table = pd.concat(tables, names=["pairs"]).drop(columns="group")
    return table.reset_index("pairs").reset_index(drop=True)


def _halves(values: np.ndarray) -> np.ndarray:
    """Pair each row of the first half with one of the second: (2n, c) -> (1, n, 2, c)."""
    n = len(values) // 2
    return np.stack([values[:n], values[n : 2 * n]], axis=1)[None]


def _read(run: Run, name: str, faces: Step, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return attributes (n, 40) and nuisance (n, c) of some of a step's images."""
    reader = run_nuisance_reader(run)

    def make(folder: Path) -> None:
        images = load_array(faces.folder / "images.npy", mapped=True)[rows]
        save_array(folder / "nuisance.npy", reader.read(images))

    inputs = {"faces": faces.fingerprint, "reader": reader.fingerprint}
    step = run.store.step(f"nuisance/{name}", make, config={"rows": str(rows)}, inputs=inputs)
    labels = read_labels(run, faces)[list(ATTRIBUTES)].to_numpy()[rows]
    return labels, load_array(step.folder / "nuisance.npy")


def _others_changed(run: Run, pairs: PairReadings) -> np.ndarray:
    """Return how many attributes but target and protected change in each pair, (seeds, n)."""
    own = [ATTRIBUTES.index(name) for name in run.names.values()]
    return np.delete(pairs.changed, own, axis=2).sum(axis=2)


def _means(run: Run, values: np.ndarray) -> Means:
    return bootstrap_means(values, n_resamples=run.experiment.n_resamples, seed=run.experiment.seed)


def _nuisance_means(run: Run, name: str, readings: np.ndarray) -> Means:
    """Return correlation and mean absolute change of readings (seeds, n, 2, 1 or 2)."""
    x, y = (readings[:, :, side] - readings.mean(axis=(0, 1, 2)) for side in (0, 1))  # (seeds, n, 1 or 2)
    change = np.abs(x - y)[..., 0]
    if name in PERIODIC:
        (cos, sin), (cos2, sin2) = (np.moveaxis(readings[:, :, side], 2, 0) for side in (0, 1))
        change = np.abs(np.arctan2(sin * cos2 - cos * sin2, cos * cos2 + sin * sin2)) / (2 * np.pi)
    moments = np.concatenate([x, y, x * x, y * y, x * y, change[..., None]], axis=2)
    return _means(run, moments).map(_from_moments)


def _from_moments(means: np.ndarray) -> np.ndarray:
    """Turn means (..., 5c + 1, 1) of x, y, x², y², xy and the change into (..., 2, 1)."""
    *moments, change = np.moveaxis(means[..., 0], -1, 0)  # (...) each
    x, y, xx, yy, xy = np.array(moments).reshape(5, -1, *change.shape)  # (c, ...) each
    shared, spread = (xy - x * y).sum(axis=0), ((xx - x * x).sum(axis=0), (yy - y * y).sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample of one face has no spread
        correlation = shared / np.sqrt(spread[0] * spread[1])
    return np.stack([correlation, change], axis=-1)[..., None]
