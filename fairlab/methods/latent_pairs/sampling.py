"""Step 2: latents and their images, drawn once for all runs that use the same generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from fairlab.core.files import save_array, write_rows
from fairlab.core.store import Step
from fairlab.generators import Generator, generate, sample_latents
from fairlab.workspace.workspace import Workspace


def sample_faces(work: Workspace, n: int, seed: int) -> Step:
    """Sample z ~ N(0, I) and draw its images: ``z.npy`` (n, d), ``images.npy`` (n, h, w, 3) uint8."""

    def make(folder: Path) -> None:
        z = sample_latents(n, work.generator.latent_dim, seed)
        save_faces(folder, z, work.generator, work.image_size, "Generating faces")

    config = {"n": n, "seed": seed, "size": work.image_size}
    inputs = {"generator": work.generator_fingerprint}
    return work.store("latents").shared_step(f"{n}-seed{seed}", make, config=config, inputs=inputs)


def save_faces(folder: Path, z: np.ndarray, generator: Generator, size: int, what: str) -> None:
    """Write latents (n, d) and their images; an interrupted call goes on with the next images."""
    save_array(folder / "z.npy", z)
    with tqdm(total=len(z), desc=what, unit="face") as bar:

        def make(rows: slice) -> np.ndarray:
            bar.update(rows.start - bar.n)
            images = generate(generator, z[rows], size=size, progress=False)
            bar.update(len(images))
            return images

        write_rows(folder / "images.npy", (len(z), size, size, 3), make, chunk=512)
