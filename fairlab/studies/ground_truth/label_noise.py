"""Noise in the labels of generated faces, by what the oracle sees in them.

Every z and every z' carries the label that the baseline classifier gave to z. Two things can make it wrong:
the classifier erred about z, or the partner did not keep the target.
"""

import numpy as np
import pandas as pd

from fairlab.evaluation.pair_truth import pair_labels
from fairlab.experiments.run import Run
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means
from fairlab.metrics.intervals.proportion import proportion
from fairlab.studies.ground_truth.counterfactuals import drawn_source

#: Shares of faces whose given label is wrong: of all, of those seen without, and of those seen with it.
NOISE_METRICS: tuple[str, ...] = ("wrong", "false positive", "false negative")


def label_noise(run: Run) -> pd.DataFrame:
    """Return how often the target label of generated training faces is not what the oracle sees.

    Parameters
    ----------
    run : Run
        Of SynthFaces.

    Returns
    -------
    DataFrame
        Columns faces ("z", "z'"), seed ("0", "1", ..., "all"), group ("all" and the protected groups, as
        seen by the oracle), metric, value, low, high, n, note. "wrong" is a share of all faces of the group,
        "false positive" (label given, attribute not seen) of those seen without the target, "false negative"
        of those seen with it. Intervals of a single training seed are Wilson's; those of all seeds come from
        a bootstrap over faces and seeds, since all seeds label the same z. n counts faces, of "all" in the
        mean over the seeds.

    Raises
    ------
    UserError
        If the run's images are not drawn.
    """
    drawn_source(run)
    experiment, seeds = run.experiment, range(run.experiment.seeds)
    names, groups = list(run.names.values()), ("all", f"not {experiment.protected}", experiment.protected)
    given = np.stack([run.pairs(seed).labels for seed in seeds])  # (seeds, n)
    halves = zip(*(pair_labels(run, seed) for seed in seeds), strict=True)  # all z, all z'
    tables = {}
    for faces, half in zip(("z", "z'"), halves, strict=True):
        seen = np.stack([labels[names].to_numpy() for labels in half])  # (seeds, n, 2)
        whole = _all_seeds(given, seen, groups, experiment.n_resamples, experiment.seed)
        single = {str(s): confusion(given[s], seen[s, :, 0], seen[s, :, 1], groups) for s in seeds}
        tables[faces] = pd.concat(single | {"all": whole}, names=["seed"])
    return pd.concat(tables, names=["faces"]).reset_index(["faces", "seed"]).reset_index(drop=True)


def confusion(
    given: np.ndarray, seen: np.ndarray, protected: np.ndarray, groups: tuple[str, str, str]
) -> pd.DataFrame:
    """Return `NOISE_METRICS` of n labels with Wilson's intervals.

    Parameters
    ----------
    given, seen, protected : arrays of shape (n,)
        The label given, whether the target is seen, and the protected attribute seen; 0 or 1.
    groups : three str
        Names of all faces, of those with protected 0, and of those with 1.

    Returns
    -------
    DataFrame
        Columns group, metric, value, low, high, n, note.
    """
    wrong = given != seen
    rows = []
    for group, members in zip(groups, _members(protected), strict=True):
        for metric, asked in zip(NOISE_METRICS, _asked(seen), strict=True):
            share = proportion(int(wrong[members & asked].sum()), int((members & asked).sum()))
            note = "" if share.n else "no such faces"
            rows.append((group, metric, *share[:4], note))
    return pd.DataFrame(rows, columns=["group", "metric", "value", "low", "high", "n", "note"])


def _all_seeds(
    given: np.ndarray, seen: np.ndarray, groups: tuple[str, str, str], n_resamples: int, seed: int
) -> pd.DataFrame:
    """Return the same over all seeds, from ratios of means: given (seeds, n), seen (seeds, n, 2)."""
    wrong, cells = given != seen[..., 0], []
    for members in _members(seen[..., 1]):  # (seeds, n)
        for asked in _asked(seen[..., 0]):
            cells += [wrong & members & asked, members & asked]
    means = bootstrap_means(np.stack(cells, axis=2), n_resamples=n_resamples, seed=seed)
    names = [f"{group}/{metric}" for group in groups for metric in NOISE_METRICS]
    with np.errstate(invalid="ignore"):
        table = means.map(lambda both: both[..., 0::2, :] / both[..., 1::2, :]).table(names)
    table[["group", "metric"]] = table["metric"].str.split("/", expand=True)
    table["n"] = np.round(means.value[1::2, 0] * given.shape[1]).astype(int)
    return table.drop(columns="seeds")


def _members(protected: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.ones(protected.shape, dtype=bool), protected == 0, protected == 1


def _asked(seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which faces each of `NOISE_METRICS` is a share of."""
    return np.ones(seen.shape, dtype=bool), seen == 0, seen == 1
