"""What is measured of a finished grid."""

import numpy as np
import pandas as pd

from fairlab.data.attributes import REPORTING_GROUPS
from fairlab.evaluation.pair_truth import pair_truth
from fairlab.evaluation.results import model_scores
from fairlab.experiments.run import Run
from fairlab.metrics import compare_attributes
from fairlab.studies.table.grid import Grid


def measure(grid: Grid) -> pd.DataFrame:
    """Return the tidy table of a finished grid: "baseline", every method, and paired differences.

    Differences are taken from the baseline and, of further methods, from the first one as well. See
    `fairlab.metrics.compare_attributes`.
    """
    data, experiment = grid.first.data, grid.experiment
    labels = pd.DataFrame({target: data.label(target, "test") for target in grid.targets})
    models: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {"baseline": {}}
    for target, method in grid.cells():
        run = grid.run(target, method)
        models["baseline"].setdefault(target, model_scores(run, run.baseline))
        models.setdefault(method, {})[target] = model_scores(run, run.debiased)
    scores = {m: {t: pair[0] for t, pair in by.items()} for m, by in models.items()}
    thresholds = {m: {t: pair[1] for t, pair in by.items()} for m, by in models.items()}
    references = ("baseline", grid.methods[0]) if len(grid.methods) > 1 else ("baseline",)
    tables = [
        compare_attributes(
            labels,
            scores,
            data.label(experiment.protected, "test"),
            thresholds=thresholds,
            baseline=reference,
            means=REPORTING_GROUPS | {"all targets": grid.targets},
            n_resamples=experiment.n_resamples,
            seed=experiment.seed,
            clusters=data.people("test"),
            groups=(f"not {experiment.protected}", experiment.protected),
        )
        for reference in references
    ]
    return pd.concat(tables).drop_duplicates(["model", "attribute", "group", "metric"], ignore_index=True)


def pair_table(grid: Grid) -> pd.DataFrame:
    """Return what the oracle says of every cell's pairs: target, method, statement, value, low, high, n."""
    rows = [
        {"target": target, "method": method, "statement": statement, **share._asdict()}
        for target, method in grid.cells()
        if has_truth(run := grid.run(target, method))
        for statement, share in pair_truth(run).items()
    ]
    return pd.DataFrame(rows, columns=["target", "method", "statement", "value", "low", "high", "n"])


def has_truth(run: Run) -> bool:
    """Whether the oracle can be asked about a run's pairs."""
    return run.experiment.source.is_drawn and run.experiment.makes_pairs
