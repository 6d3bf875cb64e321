"""Truth about generated faces: which attributes a reader sees in them, what partners keep and change.

For drawn faces the eyes are the oracle's, which had no chance to learn a bias. For photographs they are those
of a network trained on the photographs' own labels, biases included: it tells what is drawn, not the truth.
"""

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


def pair_labels(run: Run, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what the reader sees in z and in z' of one training seed: `read_labels`, a row a pair."""
    pairs = run.pairs(seed)
    z = read_labels(run, pairs.source)[pairs.rows].reset_index(drop=True)
    return z, read_labels(run, pairs.partners)[: len(z)]


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
    experiment, right = run.experiment, shipped_oracle(run.device).right
    target, protected = experiment.target, experiment.protected
    accuracy = {}
    for name in (target, protected):
        accuracy[f"oracle right about {name}, on unseen drawn faces"] = proportion(*right[name])
    held = []  # of each training seed: a row a pair, a column a statement
    for seed in range(experiment.seeds):
        (z, partners), given = pair_labels(run, seed), run.pairs(seed).labels
        kept, flipped = z[target] == partners[target], z[protected] != partners[protected]
        statements = {
            f"partner kept {target}": kept,
            f"partner flipped {protected}": flipped,
            "partner did both": kept & flipped,
            f"{target} label given to z is what the oracle sees in z": given == z[target],
            f"{target} label given to z is what the oracle sees in the partner": given == partners[target],
        }
        held.append(pd.DataFrame(statements))
    return accuracy | mean_shares(held, n_resamples=experiment.n_resamples, seed=experiment.seed)
