"""Real images brought into the latent space, so that partners can be built for real faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.data import FaceData
from fairlab.generators import invert

if TYPE_CHECKING:
    from fairlab.experiments.run import Run

#: A search from one start of 100 steps: a third of a second for a face of 64 pixels on one core.
STARTS, STEPS = 1, 100
#: Images between two files, so that an interrupted search loses little.
CHUNK = 64


def check_inverted(n: int, data: FaceData) -> None:
    """Raise UserError if there are fewer training images than shall be inverted."""
    available = len(data.rows("train"))
    if n > available:
        raise UserError(
            f"--inverted asks for {n:,} images, but the train split has {available:,}; invert fewer."
        )


def invert_images(run: Run, split: str) -> Step:
    """Find the latents of the run's `n_inverted` real images of one split, drawn at random.

    Returns
    -------
    Step
        ``rows.npy`` (n,): which images of the split; ``images.npy``: these; ``z.npy`` (n, d);
        ``pixel_error.npy`` (n,), in grey levels.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, supplement: augmentation with counterparts of real images.
    """
    e = run.experiment
    available = len(run.data.rows(split))
    n = min(e.n_inverted, available)  # training images are enough: see `check_inverted`
    rows = np.sort(np.random.default_rng([e.seed, n]).choice(available, size=n, replace=False))

    def make(folder: Path) -> None:
        chunks = tqdm(range(0, n, CHUNK), desc=f"Inverting {split} images", unit="chunk")
        files = [_chunk(run, split, rows[i : i + CHUNK], folder / f"part-{i:06d}.npy") for i in chunks]
        found = np.concatenate([load_array(file) for file in files])  # (n, d + 1)
        save_array(folder / "rows.npy", rows)
        save_array(folder / "images.npy", run.images(split)[rows])
        save_array(folder / "z.npy", np.ascontiguousarray(found[:, :-1]))
        save_array(folder / "pixel_error.npy", np.ascontiguousarray(found[:, -1]))
        for file in files:
            file.unlink()

    config = {"n": n, "seed": e.seed, "split": split, "starts": STARTS, "steps": STEPS}
    inputs = {"data": run.data.fingerprint, "generator": run.generator_mark()}
    return run.latent_store.shared_step(f"{split}-{n}-inverted", make, config=config, inputs=inputs)


def _chunk(run: Run, split: str, rows: np.ndarray, file: Path) -> Path:
    """Write latents and errors of some images, (b, d + 1), unless an earlier call did."""
    if not file.exists():
        images, seed = run.images(split)[rows], run.experiment.seed
        found = invert(run.generator, images, starts=STARTS, steps=STEPS, seed=seed, progress=False)
        save_array(file, np.column_stack([found.z, found.pixel_error]).astype(np.float32))
    return file
