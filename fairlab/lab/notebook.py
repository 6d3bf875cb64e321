"""Helpers of the notebooks: named results, and the renderer of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from IPython.display import display

from fairlab.classifiers import Classifier
from fairlab.classifiers.images import ImageArray
from fairlab.core.estimate import Estimate, Unit
from fairlab.experiments.run import Run
from fairlab.lab.executed import RESULT
from fairlab.lab.renderer import Renderer
from fairlab.latent import Hyperplane
from fairlab.metrics.intervals.proportion import proportion
from fairlab.workspace.reader import AttributeReader


def record(name: str, found: Any) -> None:
    """Print a named result and keep it in the notebook, where `fairlab notebooks` and tests read it.

    Parameters
    ----------
    name : str
    found : Estimate, or row of a table with value, low, high and n
        The number, the ends of its 95% interval, and what was counted.
    """
    value, low, high, n = float(found.value), float(found.low), float(found.high), int(found.n)
    result = {"name": name, "value": value, "low": low, "high": high, "n": n}
    text = f"{name}: {Estimate(value, low, high, n, Unit(digits=3))}"
    display({RESULT: result, "text/plain": text}, raw=True)


def seen_labels(
    reader: AttributeReader, images: ImageArray, attributes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the labels that a reader sees in (n, h, w, 3) uint8 images: n rows of 0 and 1.

    Raises
    ------
    KeyError
        If the reader does not know an attribute.
    """
    labels = pd.DataFrame(reader.labels(images, progress=False), columns=list(reader.attributes))
    return labels if attributes is None else labels[list(attributes)]


def share_table(flags: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how often each column holds in each table, as text: ``"94.3% [92.2, 95.9]"``.

    Parameters
    ----------
    flags : dict of str to DataFrame of bool
        A row of the result for each: its columns, and n, the number of rows.
    """
    rows = {}
    for title, table in flags.items():
        counted = {name: proportion(int(table[name].sum()), len(table)) for name in table.columns}
        text = {name: str(share._replace(n=None)) for name, share in counted.items()}
        rows[title] = text | {"n": f"{len(table):,}"}
    return pd.DataFrame.from_dict(rows, orient="index")


def renderer_of(run: Run, seed: int = 0, *, planes: dict[str, Hyperplane] | None = None) -> Renderer:
    """Return the renderer of a run: its generator, both classifiers of one training seed and their planes.

    Parameters
    ----------
    run : Run
        Steps that are missing are made.
    seed : int
        Training seed of the target classifier and of both planes.
    planes : dict of str to Hyperplane, optional
        Further planes, as from `fairlab.evaluation.pair_truth.attribute_planes`.
    """
    e, pairs = run.experiment, run.pairs(seed)
    thresholds, own = pairs.thresholds, {run.names[role]: plane for role, plane in pairs.planes.items()}
    steps = {e.target: run.baseline(seed), e.protected: run.protected()}
    return Renderer(
        run.generator,
        {name: Classifier.load(step.folder, run.device) for name, step in steps.items()},
        own if planes is None else own | planes,
        thresholds={e.target: thresholds["target"], e.protected: thresholds["protected"]},
        image_size=run.work.image_size,
    )
