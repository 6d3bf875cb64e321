"""What SynthFaces can tell and photographs cannot: whether partners keep one label and flip the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fairlab.artefacts import load_array, save_array
from fairlab.attributes import ATTRIBUTES
from fairlab.oracle import shipped_oracle, shipped_oracle_fingerprint
from fairlab.pipeline import Run
from fairlab.store import Step


def oracle_labels(run: Run, faces: Step) -> np.ndarray:
    """Return the oracle's labels of a step's ``images.npy``: (n, 40) uint8, in the order of `ATTRIBUTES`."""

    def make(folder: Path) -> None:
        images = load_array(faces.folder / "images.npy", mapped=True)
        save_array(folder / "labels.npy", shipped_oracle(run.device).labels(images))

    inputs = {"oracle": shipped_oracle_fingerprint(), "faces": faces.fingerprint}
    step = run.store.step(f"{faces.name}_truth", make, config={}, inputs=inputs)
    return load_array(step.folder / "labels.npy")


def pair_truth(run: Run) -> dict[str, tuple[int, int]]:
    """Return how often the pairs do what they claim, according to the oracle, over all training seeds.

    Returns
    -------
    dict of str to (int, int)
        For each statement, how often it held and how often it was checked. The oracle's own accuracy on
        unseen drawn faces comes first.
    """
    names, right = (run.experiment.target, run.experiment.protected), shipped_oracle(run.device).right
    accuracy = {f"oracle right about {name}, on unseen drawn faces": right[name] for name in names}
    return accuracy | _pair_counts(run)


def _pair_counts(run: Run) -> dict[str, tuple[int, int]]:
    e = run.experiment
    columns = [ATTRIBUTES.index(name) for name in (e.target, e.protected)]
    z = oracle_labels(run, run.latents())[run.pair_rows][:, columns]  # (n, 2)
    total: dict[str, tuple[int, int]] = {}
    for seed in range(e.seeds):
        partners = oracle_labels(run, run.partners(seed))[:, columns]  # (n, 2)
        given = run.labels(seed)["target"][run.pair_rows]
        kept, flipped = z[:, 0] == partners[:, 0], z[:, 1] != partners[:, 1]
        for statement, holds in {
            f"partner kept {e.target}": kept,
            f"partner flipped {e.protected}": flipped,
            "partner did both": kept & flipped,
            f"{e.target} label given to z is what the oracle sees in z": given == z[:, 0],
            f"{e.target} label given to z is what the oracle sees in the partner": given == partners[:, 0],
        }.items():
            count, n = total.get(statement, (0, 0))
            total[statement] = count + int(holds.sum()), n + len(holds)
    return total
