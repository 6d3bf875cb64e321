"""Effects of moving latents: the protected, the target and all other attributes of their faces."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fairlab.core.files import load_array, save_array
from fairlab.data.attributes import ATTRIBUTES
from fairlab.experiments.run import Run
from fairlab.generators import generate
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means
from fairlab.studies.ground_truth.directions import N_INVERTED, unit_directions

#: Standard deviations of the latents along any direction.
STEPS: tuple[float, ...] = (-3, -2, -1, 0, 1, 2, 3)
#: Latents that are moved: five directions and seven steps make 7,000 pictures, half a minute on one core.
N_MOVED = 200

EFFECTS: tuple[str, ...] = ("protected present", "target kept", "other attributes changed")


def direction_effects(
    run: Run, seed: int = 0, *, steps: Sequence[float] = STEPS, n: int = N_MOVED, n_inverted: int = N_INVERTED
) -> pd.DataFrame:
    """Return what the oracle sees when latents move along the directions of `unit_directions`.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    seed : int
        Training seed whose hyperplanes are examined.
    steps : sequence of float
        How far to move, in standard deviations of the latents; positive towards the protected attribute.
    n : int
        Latents to move: the first of those for which partners are built.
    n_inverted : int
        As `direction_cosines`.

    Returns
    -------
    DataFrame
        Columns direction, step, metric, value, low, high, n, note. "protected present" and "target kept" are
        shares of the faces, 0..1; "other attributes changed" is a mean number, 0..38. The last two compare
        with the same face before the move. 95% intervals over faces.

    Raises
    ------
    UserError
        As `direction_cosines`.
    """
    experiment = run.experiment
    target, protected = ATTRIBUTES.index(experiment.target), ATTRIBUTES.index(experiment.protected)
    names, before, after = _seen(run, seed, tuple(steps), n, n_inverted)
    changed = after != before  # (directions, steps, n, 40)
    others = np.delete(changed, (target, protected), axis=-1).sum(axis=-1)
    values = np.stack([after[..., protected], ~changed[..., target], others], axis=-1)  # (..., n, 3)
    tables = [
        bootstrap_means(values[i, j][None], n_resamples=experiment.n_resamples, seed=experiment.seed)
        .table(EFFECTS, shares=EFFECTS[:2])
        .assign(direction=name, step=float(step))
        for i, name in enumerate(names)
        for j, step in enumerate(steps)
    ]
    columns = ["direction", "step", "metric", "value", "low", "high", "n", "note"]
    return pd.concat(tables, ignore_index=True)[columns]


def _seen(
    run: Run, seed: int, steps: tuple[float, ...], n: int, n_inverted: int
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return directions, and what is seen before (n, 40) and after moves (directions, steps, n, 40)."""
    made, directions = unit_directions(run, seed, n_inverted)
    oracle = run.reader
    z = run.pairs(0).z[:n]  # (n, d)

    def look(latents: np.ndarray) -> np.ndarray:
        pictures = generate(run.generator, latents.astype(np.float32), size=run.work.image_size)
        return oracle.labels(pictures, progress=False)

    def make(folder: Path) -> None:
        ways = np.stack(list(directions.values()))[:, None, None]  # (directions, 1, 1, d)
        moved = z + np.array(steps)[:, None, None] * ways  # (directions, steps, n, d)
        save_array(folder / "before.npy", look(z))
        save_array(folder / "after.npy", look(moved.reshape(-1, z.shape[1])))

    inputs = {"directions": made.fingerprint, "latents": run.pairs(0).source.fingerprint}
    config = {"steps": steps, "n": len(z)}
    name = f"{made.name}_effects/{len(z)}-at{'_'.join(f'{step:g}' for step in steps)}"
    step = run.store.step(name, make, config=config, inputs=inputs)
    before, after = (load_array(step.folder / f"{name}.npy") for name in ("before", "after"))
    return list(directions), before, after.reshape(len(directions), len(steps), len(z), -1)
