"""Latents and their pictures, drawn once for all runs that use the same generator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from fairlab.core.files import save_array, write_rows
from fairlab.core.store import Step
from fairlab.generators import generate, sample_latents

if TYPE_CHECKING:
    from fairlab.experiments.run import Run


def sample_faces(run: Run, n: int, seed: int) -> Step:
    """Sample z ~ N(0, I) and draw its pictures: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3) uint8."""

    def make(folder: Path) -> None:
        save_faces(run, folder, sample_latents(n, run.generator.latent_dim, seed), "Generating faces")

    config = {"n": n, "seed": seed, "size": run.experiment.image_size}
    inputs = {"generator": run.generator_mark()}
    return run.latent_store.shared_step(f"{n}-seed{seed}", make, config=config, inputs=inputs)


def save_faces(run: Run, folder: Path, z: np.ndarray, what: str) -> None:
    """Write latents (n, d) and their pictures; an interrupted call goes on with the next pictures."""
    save_array(folder / "z.npy", z)
    size = run.experiment.image_size
    with tqdm(total=len(z), desc=what, unit="face") as bar:

        def make(rows: slice) -> np.ndarray:
            bar.update(rows.start - bar.n)
            pictures = generate(run.generator, z[rows], size=size, progress=False)
            bar.update(len(pictures))
            return pictures

        write_rows(folder / "images.npy", (len(z), size, size, 3), make, chunk=512)
