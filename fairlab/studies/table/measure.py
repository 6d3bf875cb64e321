"""What is measured of a finished grid."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from fairlab import classifiers
from fairlab.core.files import load_array, read_json
from fairlab.core.store import Step
from fairlab.data.attributes import REPORTING_GROUPS
from fairlab.evaluation.pair_truth import pair_truth
from fairlab.evaluation.results import model_scores
from fairlab.experiments.run import Run
from fairlab.figures.method_table import Facts
from fairlab.methods import ERM, Method
from fairlab.metrics import compare_attributes
from fairlab.metrics.spec import CELL_METRICS, LEAKAGE, METRICS
from fairlab.studies.table.attack import guesses
from fairlab.studies.table.grid import Grid


def measure(grid: Grid) -> pd.DataFrame:
    """Return the tidy table of a finished grid: "baseline", every method, and paired differences.

    Beside `METRICS` it has the worst cell, each group's true positive rate, and the leakage of the scores.
    Differences are taken from the baseline and, of further methods, from the grid's reference as well. See
    `fairlab.metrics.compare_attributes`.
    """
    models: dict[str, dict[str, Trained]] = {"baseline": {}}
    for target, method in grid.cells():
        run = grid.run(target, method)
        models["baseline"].setdefault(target, Trained.of(run, run.baseline))
        models.setdefault(method, {})[target] = Trained.of(run, run.debiased)
    references = ("baseline", grid.reference) if len(grid.methods) > 1 else ("baseline",)
    tables = [part for reference in references for part in _compared(grid, models, reference)]
    return pd.concat(tables).drop_duplicates(["model", "attribute", "group", "metric"], ignore_index=True)


class Trained(NamedTuple):
    """What the trainings of one model say of the test images.

    Attributes
    ----------
    scores : (seeds, n) array
    thresholds : (seeds,) array
        Calibrated on validation images.
    guesses : (seeds, n) array of 0 and 1
        Of the protected label: see `guesses`.
    """

    scores: np.ndarray
    thresholds: np.ndarray
    guesses: np.ndarray

    @classmethod
    def of(cls, run: Run, trained: Callable[[int], Step]) -> Self:
        """Return the scores of ``run.baseline`` or ``run.debiased``, and what an attacker makes of them."""
        scores, thresholds = model_scores(run, trained)
        a = run.data.label(run.experiment.protected, "valid")
        folders = [run.test_scores(trained(seed)).folder for seed in range(run.experiment.seeds)]
        valid = [load_array(folder / "valid.npy") for folder in folders]
        return cls(
            scores, thresholds, np.stack([guesses(v, a, s) for v, s in zip(valid, scores, strict=True)])
        )


def _compared(grid: Grid, models: Mapping[str, Mapping[str, Trained]], reference: str) -> list[pd.DataFrame]:
    """Return the metrics of all models with differences from one, and their leakage."""
    data, experiment = grid.first.data, grid.experiment
    a = data.label(experiment.protected, "test")
    labels = pd.DataFrame({target: data.label(target, "test") for target in grid.targets})
    options: dict[str, Any] = {
        "baseline": reference,
        "means": REPORTING_GROUPS | {"all targets": grid.targets},
        "n_resamples": experiment.n_resamples,
        "seed": experiment.seed,
        "clusters": data.people("test"),
        "groups": grid.groups,
    }
    of = {field: {m: {t: getattr(one, field) for t, one in by.items()} for m, by in models.items()}
          for field in Trained._fields}  # fmt: skip
    halves = {model: dict.fromkeys(by, 0.5) for model, by in models.items()}
    specs = (*METRICS.values(), *CELL_METRICS.values())
    guessed = pd.DataFrame(dict.fromkeys(grid.targets, a))  # the protected label in the target's place
    return [
        compare_attributes(labels, of["scores"], a, thresholds=of["thresholds"], specs=specs, **options),
        compare_attributes(guessed, of["guesses"], a, thresholds=halves, specs=(LEAKAGE,), **options),
    ]


def facts(grid: Grid) -> dict[str, Facts]:
    """Return what each model needs and costs, "baseline" first; costs are means over targets and seeds."""
    found = {
        "baseline": _facts(ERM(), [grid.run(t, grid.methods[0]).baseline(s) for t, s in _trainings(grid)])
    }
    for name in grid.methods:
        method = grid.run(grid.targets[0], name).experiment.method
        found[name] = _facts(method, [grid.run(t, name).debiased(s) for t, s in _trainings(grid)])
    return found


def _trainings(grid: Grid) -> list[tuple[str, int]]:
    return [(target, seed) for target in grid.targets for seed in grid.seeds]


def _facts(method: Method, steps: Sequence[Step]) -> Facts:
    cards = [read_json(step.folder / classifiers.CARD_FILE) for step in steps]
    images = np.mean([card["images_through_backbone"] for card in cards])
    return Facts(method.protected_at, float(images), float(np.mean([step.seconds for step in steps])))


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
