"""Linearity of attributes in latent space: a hyperplane against a neural network.

The test is one-sided: a network that does better has found a bend, but of a boundary bent a little in each of
hundreds of directions ten thousand latents show it nothing.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPClassifier

from fairlab.core.files import load_array, save_array
from fairlab.data.attributes import check_attribute
from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.latent import Hyperplane
from fairlab.metrics.intervals.bootstrap import estimate_of, resample_counts
from fairlab.studies.ground_truth.counterfactuals import drawn_source

#: A small network that stops early. It was chosen among several sizes and penalties on the shipped generator.
NETWORK = {"hidden_layer_sizes": (64,), "alpha": 1.0, "early_stopping": True}


def plane_against_nonlinear(run: Run, attributes: Sequence[str] | None = None) -> pd.DataFrame:
    """Return how well a hyperplane and a neural network tell latents apart, by what the oracle sees.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    attributes : sequence of str, optional
        By default target and protected attribute.

    Returns
    -------
    DataFrame
        Columns attribute, model ("plane", "network", "network - plane", "majority"), metric ("accuracy",
        "ROC AUC"), value, low, high, n, n_positive, note; values are 0..1. Both models learn from the
        latents on which the run fits its planes and are counted on all others. 95% intervals over these, of
        the difference paired. "majority" is the accuracy of always guessing the commoner answer.

    Raises
    ------
    UserError
        If the run's images are not drawn, an attribute is unknown, or it is seen in no face or in all.
    """
    drawn_source(run)
    names = [check_attribute(name) for name in attributes or run.names.values()]
    seen = read_labels(run, run.pairs(0).faces)
    tables = []
    for name in names:
        y = seen[name].to_numpy()
        scores, held_out = _scores(run, name, y), y[run.pairs(0).method.n_fit :]  # (2, n), (n,)
        table = compared(held_out, scores, run.experiment.n_resamples, run.experiment.seed)
        table.insert(0, "attribute", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def compared(y: np.ndarray, scores: np.ndarray, n_resamples: int, seed: int) -> pd.DataFrame:
    """Return the rows of one attribute, y (n,), from the scores (2, n) of the plane and of the network."""
    guess = np.full(len(y), 1.0 if y.mean() >= 0.5 else -1.0)
    resamples = resample_counts([np.arange(len(y))], n_resamples, np.random.default_rng(seed))
    counts = np.concatenate([np.ones((1, len(y)), np.int32), *resamples])  # (1 + resamples, n)
    rows = []
    for metric, measure in (("accuracy", accuracies), ("ROC AUC", areas_under_curve)):
        plane, network, majority = (measure(y, values, counts) for values in (*scores, guess))
        results = {"plane": plane, "network": network, "network - plane": network - plane}
        if metric == "accuracy":
            results["majority"] = majority
        for model, values in results.items():
            value, low, high, *_, note = estimate_of(values[0], values[1:])
            rows.append((model, metric, value, low, high, note, len(y), int(y.sum())))
    columns = ["model", "metric", "value", "low", "high", "note", "n", "n_positive"]
    return pd.DataFrame(rows, columns=columns)


def _scores(run: Run, attribute: str, y: np.ndarray) -> np.ndarray:
    """Return scores of held-out latents, above 0 for the attribute: (2, n), of the plane and the network."""
    pairs, seed = run.pairs(0), run.experiment.seed
    n_fit = pairs.method.n_fit

    def make(folder: Path) -> None:
        save_array(folder / "scores.npy", held_out_scores(pairs.all_z, y, n_fit=n_fit, seed=seed))

    inputs = {"latents": pairs.faces.fingerprint, "oracle": run.reader.fingerprint}
    config = {"n_fit": n_fit, "network": NETWORK, "seed": seed}
    step = run.store.step(f"linearity/{attribute}", make, config=config, inputs=inputs)
    return load_array(step.folder / "scores.npy")


def held_out_scores(z: np.ndarray, y: np.ndarray, *, n_fit: int, seed: int) -> np.ndarray:
    """Fit plane and network to the first `n_fit` latents (n, d) and their labels (n,); score the others.

    Returns
    -------
    (2, n - n_fit) array
        Of the plane and of the network, above 0 for label 1.
    """
    plane = Hyperplane.fit(z[:n_fit], y[:n_fit])
    network = MLPClassifier(**NETWORK, random_state=seed).fit(z[:n_fit], y[:n_fit])
    chances = network.predict_proba(z[n_fit:])[:, 1]
    return np.stack([plane.distance(z[n_fit:]), chances - 0.5])


def accuracies(y: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the accuracy of scores (n,), above 0 for label 1, in resamples (rows, n): (rows,)."""
    shares: np.ndarray = counts @ ((scores > 0) == y) / counts.sum(axis=1)
    return shares


def areas_under_curve(y: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve in resamples (rows, n): (rows,); NaN without both labels.

    It is the share of pairs of both labels in which the positive scores higher; ties count half.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.unique(scores[order], return_index=True)[1]  # where each distinct score begins
    drawn = counts[:, order].astype(np.float64)
    positive, negative = (np.add.reduceat(drawn * (y[order] == k), starts, axis=1) for k in (1, 0))
    lower = np.cumsum(negative, axis=1) - negative / 2
    with np.errstate(invalid="ignore"):
        areas: np.ndarray = (positive * lower).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))
    return areas
