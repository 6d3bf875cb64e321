"""Real images brought into the latent space, so that partners can be built for real faces."""

from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from fairlab import generators
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.workspace.workspace import Workspace

#: A search from one start of 100 steps: a third of a second for a face of 64 pixels on one core.
STARTS, STEPS = 1, 100
#: Images between two files, so that an interrupted search loses little.
CHUNK = 64


def invert_images(work: Workspace, split: str, n: int) -> Step:
    """Find the latents of at most `n` real images of one split, drawn at random.

    Returns
    -------
    Step
        ``rows.npy`` (n,): which images of the split; ``images.npy``: these; ``z.npy`` (n, d);
        ``pixel_error.npy`` (n,), in grey levels.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, supplement: augmentation with counterparts of real images.
    """
    available = len(work.data.rows(split))
    n = min(n, available)  # training images are enough: see `LatentPairs.check`
    rows = np.sort(np.random.default_rng([work.seed, n]).choice(available, size=n, replace=False))

    def make(folder: Path) -> None:
        images = work.images(split)
        files = []
        for i in tqdm(range(0, n, CHUNK), desc=f"Inverting {split} images", unit="chunk"):
            files.append(folder / f"part-{i:06d}.npy")
            if not files[-1].exists():  # an interrupted call goes on with the next chunk
                chunk, seed = images[rows[i : i + CHUNK]], work.seed
                inverted = generators.invert(
                    work.generator, chunk, starts=STARTS, steps=STEPS, seed=seed, progress=False
                )
                both = np.column_stack([inverted.z, inverted.pixel_error])  # (b, d + 1)
                save_array(files[-1], both.astype(np.float32))
        found = np.concatenate([load_array(file) for file in files])  # (n, d + 1)
        save_array(folder / "rows.npy", rows)
        save_array(folder / "images.npy", images[rows])
        save_array(folder / "z.npy", np.ascontiguousarray(found[:, :-1]))
        save_array(folder / "pixel_error.npy", np.ascontiguousarray(found[:, -1]))
        for file in files:
            file.unlink()

    config = {"n": n, "seed": work.seed, "split": split, "starts": STARTS, "steps": STEPS}
    inputs = {"data": work.data.fingerprint, "generator": work.generator_fingerprint}
    return work.store("latents").shared_step(f"{split}-{n}-inverted", make, config=config, inputs=inputs)
