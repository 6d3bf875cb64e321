"""Helpers of the notebooks: named results, and the renderer of a run."""

from __future__ import annotations

from IPython.display import display

from fairlab.classifiers import Classifier
from fairlab.core.estimate import Estimate, Unit, number
from fairlab.experiments.run import Run
from fairlab.lab.executed import RESULT
from fairlab.lab.renderer import Renderer
from fairlab.latent import Hyperplane


def record(
    name: str,
    value: float | Estimate,
    low: float | None = None,
    high: float | None = None,
    n: int | None = None,
) -> None:
    """Print a named result and keep it in the notebook, where `fairlab notebooks` and tests read it.

    Parameters
    ----------
    name : str
    value : float or Estimate
        An estimate has all that follows.
    low, high : float, optional
        Ends of the 95% interval.
    n : int, optional
        What was counted.
    """
    if isinstance(value, Estimate):
        value, low, high, n, *_ = value
    numbers = [None if x is None else float(x) for x in (value, low, high)]
    result = {"name": name, **dict(zip(("value", "low", "high"), numbers, strict=True)), "n": n}
    display({RESULT: result, "text/plain": f"{name}: {_text(value, low, high, n)}"}, raw=True)


def _text(value: float, low: float | None, high: float | None, n: int | None) -> str:
    unit = Unit(digits=3)
    if low is None or high is None:
        return number(value, unit) + ("" if n is None else f" (n = {n:,})")
    return str(Estimate(value, low, high, n, unit))


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
