"""Truth about generated faces: which attributes a reader sees in them, what partners keep and change.

For drawn faces the eyes are the oracle's, which had no chance to learn a bias. For photographs they are those
of a network trained on the photographs' own labels, biases included: it tells what is drawn, not the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.estimate import Estimate
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.data.attributes import check_attribute
from fairlab.experiments.run import Run
from fairlab.latent import Hyperplane
from fairlab.metrics.intervals.proportion import proportion, shares
from fairlab.metrics.two_groups.pairs import mean_shares
from fairlab.workspace.reader import shipped_oracle


def read_labels(run: Run, faces: Step) -> pd.DataFrame:
    """Return what the reader sees in a step's ``images.npy``: a row an image, a 0/1 column an attribute."""
    reader = run.reader

    def make(folder: Path) -> None:
        images = load_array(faces.folder / "images.npy", mapped=True)
        save_array(folder / "labels.npy", reader.labels(images))

    inputs = {"oracle": reader.fingerprint, "faces": faces.fingerprint}
    step = faces.store.step(f"{faces.name}_truth", make, config={}, inputs=inputs)
    return pd.DataFrame(load_array(step.folder / "labels.npy"), columns=list(reader.attributes))


def attribute_planes(run: Run, attributes: Sequence[str]) -> dict[str, Hyperplane]:
    """Return hyperplanes of further attributes, fitted like the run's own on what the reader sees.

    Raises
    ------
    UserError
        If the reader does not know an attribute, or sees it in no face or in all.
    """
    pairs = run.pairs(0)
    labels, method = read_labels(run, pairs.faces), pairs.method
    fit, held_out = method.fit_rows, method.held_out_rows
    planes = {}
    for name in attributes:
        y = labels[check_attribute(name, labels.columns)].to_numpy()

        def make(folder: Path, y: np.ndarray = y) -> None:
            z = pairs.all_z
            plane = Hyperplane.fit(z[fit], y[fit], held_out=(z[held_out], y[held_out]))
            plane.save(folder / "plane.json")

        inputs = {"latents": pairs.faces.fingerprint, "oracle": run.reader.fingerprint}
        config = {"n_fit": method.n_fit, "n_held_out": method.n_held_out}
        step = run.store.step(f"planes/{name}", make, config=config, inputs=inputs)
        planes[name] = Hyperplane.load(step.folder / "plane.json")
    return planes


def attribute_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return how often each attribute changes from one set of faces to another, most often first.

    Parameters
    ----------
    before, after : DataFrames of 0 and 1
        As from `read_labels`; row i of both belongs together.

    Returns
    -------
    DataFrame
        Index: attribute. Columns value (share of faces in which it changed), low, high and n.
    """
    changed = shares(before.reset_index(drop=True) != after.reset_index(drop=True))
    return changed.sort_values("value", ascending=False, kind="stable")


def pair_truth(run: Run) -> dict[str, Estimate]:
    """Return how often the pairs do what they claim, according to the oracle, over all training seeds.

    Returns
    -------
    dict of str to Estimate
        For each statement, how often it held: see `two_groups.pairs.mean_shares`. The oracle's own
        accuracy on unseen drawn faces comes first, with Wilson's interval.
    """
    e, right = run.experiment, shipped_oracle(run.device).right
    accuracy = {}
    for name in (e.target, e.protected):
        accuracy[f"oracle right about {name}, on unseen drawn faces"] = proportion(*right[name])
    held = [_held(run, seed) for seed in range(e.seeds)]
    return accuracy | mean_shares(held, n_resamples=e.n_resamples, seed=e.seed)


def _held(run: Run, seed: int) -> pd.DataFrame:
    """Return which statements hold of each pair of one training seed: a row a pair, a column a statement."""
    e, pairs = run.experiment, run.pairs(seed)
    names = [e.target, e.protected]
    z = read_labels(run, pairs.source)[names].to_numpy()[pairs.rows]  # (n, 2)
    partners = read_labels(run, pairs.partners)[names].to_numpy()[: len(z)]  # (n, 2)
    given = pairs.labels
    kept, flipped = z[:, 0] == partners[:, 0], z[:, 1] != partners[:, 1]
    return pd.DataFrame(
        {
            f"partner kept {e.target}": kept,
            f"partner flipped {e.protected}": flipped,
            "partner did both": kept & flipped,
            f"{e.target} label given to z is what the oracle sees in z": given == z[:, 0],
            f"{e.target} label given to z is what the oracle sees in the partner": given == partners[:, 0],
        }
    )
