"""Directions of attributes in latent space, against the normals of hyperplanes.

From faces: drawn faces with and without the protected attribute are brought into the latent space, and their
mean difference is a direction. From traits: a linear regression of what the oracle sees on the latents gives
each attribute's direction, alone ("marginal") or with all others held constant ("partial").
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm

from fairlab.core.errors import UserError
from fairlab.core.files import load_array, save_array
from fairlab.core.store import Step
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.experiments.run import Run
from fairlab.generators import Generator, invert
from fairlab.generators.sampling import generator_device
from fairlab.metrics.intervals.jackknife import direction_agreement
from fairlab.studies.ground_truth.counterfactuals import drawn_source

#: Faces that are brought into the latent space twice; each takes about a second on one core.
N_INVERTED = 64
#: Steps of the search for the latent of a face halfway, and from there for both faces.
HALFWAY_STEPS, STEPS, LEARNING_RATE = 100, 50, 0.03
#: Faces between two files, so that an interrupted search loses little.
PART = 32
#: Parts of the latents that the jackknife leaves out, one at a time.
PARTS = 20
#: Fewer latents than this for each dimension say nothing of a direction.
LATENTS_PER_DIMENSION = 1.5

INVERTED, MARGINAL, PARTIAL = "drawn counterfactuals", "marginal trait", "partial trait"


def direction_cosines(run: Run, seed: int = 0, n: int = N_INVERTED) -> pd.DataFrame:
    """Return the cosines of both hyperplanes' normals with the estimated true directions.

    Parameters
    ----------
    run : Run
        Of SynthFaces.
    seed : int
        Training seed whose hyperplanes are examined.
    n : int
        Drawn faces that are brought into the latent space, for the protected attribute.

    Returns
    -------
    DataFrame
        Columns plane (attribute), direction ("drawn counterfactuals", for the protected attribute only,
        "marginal trait" and "partial trait"), metric, value, low, high, n, note; metrics as
        `fairlab.metrics.direction_agreement`. n counts drawn faces, or latents.

    Raises
    ------
    UserError
        If the run's images are not drawn, n is below 2, or there are too few latents.
    """
    planes, (z, logits) = run.pairs(seed).planes, unseen_latents(run)
    tables = []
    for role, attribute in run.names.items():
        estimates = trait_directions(z, logits, attribute)
        if role == "protected":
            estimates = {INVERTED: inverted_direction(run, n)} | estimates
        for direction, (whole, left_out) in estimates.items():
            table = direction_agreement(planes[role].normal, whole, left_out)
            count = len(left_out) if direction == INVERTED else len(z)
            tables.append(table.assign(plane=attribute, direction=direction, n=count))
    columns = ["plane", "direction", "metric", "value", "low", "high", "n", "note"]
    return pd.concat(tables, ignore_index=True)[columns]


def inverted_direction(run: Run, n: int = N_INVERTED) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean latent difference of faces drawn with and without the protected attribute.

    Returns
    -------
    (d,) and (n, d) arrays
        The mean over n faces, pointing towards the attribute, and the means without each of them.
    """
    absent, present = inverted_pairs(run, n)
    change = present.astype(np.float64) - absent  # (n, d)
    return change.mean(axis=0), (change.sum(axis=0) - change) / (len(change) - 1)


def inverted_pairs(run: Run, n: int = N_INVERTED) -> tuple[np.ndarray, np.ndarray]:
    """Return latents (n, d) of the first test faces, drawn without and with the protected attribute.

    Both searches begin at the same point, the latent of the picture halfway between the two: what differs at
    their ends is then due to the attribute. Searches that begin apart end apart, since many latents draw
    nearly the same picture.
    """
    source, protected, size = drawn_source(run), run.experiment.protected, run.work.image_size
    n = min(n, source.n_test)
    if n < 2:
        raise UserError(f"A mean difference needs at least 2 faces, not {n}; bring more into latent space.")
    factors, parts = source.factors("test")[:n], range(0, n, PART)

    def make(folder: Path) -> None:
        for first in tqdm(parts, desc="Inverting drawn counterfactuals", unit="part"):
            file = folder / f"part-{first:05d}.npy"
            if not file.exists():  # an interrupted call goes on with the next part
                faces = factors[first : first + PART]
                absent, present = (draw(faces.with_attribute(protected, on), size) for on in (False, True))
                save_array(file, _inverted(run.generator, absent, present, run.experiment.seed))

    config = {"n": n, "protected": protected, "search": (HALFWAY_STEPS, STEPS, LEARNING_RATE)}
    inputs = {"data": source.fingerprint(size), "latents": run.pairs(0).faces.fingerprint}
    step = run.store.step(f"directions/inverted-{n}", make, config=config, inputs=inputs)
    files = [load_array(step.folder / f"part-{first:05d}.npy") for first in parts]
    absent, present = np.concatenate(files, axis=1)
    return absent, present


def trait_directions(
    z: np.ndarray, logits: np.ndarray, attribute: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the directions in latent space in which the oracle's logit of an attribute rises.

    Parameters
    ----------
    z, logits : (n, d) and (n, 40) arrays
        As `unseen_latents`.
    attribute : str

    Returns
    -------
    dict of str to pair of (d,) and (20, d) arrays
        "marginal trait": the gradient of this logit in a linear regression on the latents. "partial trait":
        the shortest step that raises this logit by 1 and leaves the other 39 as they are, a column of the
        pseudo-inverse of all gradients. Each from all latents, and without each of 20 parts of them.

    Raises
    ------
    UserError
        If there are not many more latents than dimensions.
    """
    gradients = _gradients(z, logits)  # (1 + parts, d, 40)
    place = ATTRIBUTES.index(attribute)
    marginal, partial = gradients[:, :, place], np.linalg.pinv(gradients)[:, place]  # (1 + parts, d) each
    return {MARGINAL: (marginal[0], marginal[1:]), PARTIAL: (partial[0], partial[1:])}


def unseen_latents(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Return the latents that no plane was fitted to, (n, d), and the oracle's logits of them, (n, 40).

    Errors in common would make the directions of planes and traits look alike.
    """
    unseen = slice(run.pairs(0).method.n_fit, None)
    return run.pairs(0).all_z[unseen], oracle_logits(run)[unseen]


def oracle_logits(run: Run) -> np.ndarray:
    """Return the oracle's logits of all generated faces, (n, 40) in the order of `ATTRIBUTES`."""
    drawn_source(run)
    oracle, faces = run.reader, run.pairs(0).faces

    def make(folder: Path) -> None:
        images = load_array(faces.folder / "images.npy", mapped=True)
        save_array(folder / "logits.npy", oracle.classifier.logits(images))

    inputs = {"oracle": oracle.fingerprint, "faces": faces.fingerprint}
    step = run.store.step("directions/logits", make, config={}, inputs=inputs)
    return load_array(step.folder / "logits.npy")


def unit_directions(run: Run, seed: int = 0, n: int = N_INVERTED) -> tuple[Step, Mapping[str, np.ndarray]]:
    """Return unit vectors (d,) that claim to raise the protected attribute, and the step that keeps them.

    They are the plane's normal; the paired partner's way, its part at right angles to the target's normal;
    and the three estimates of `direction_cosines`. Other parameters as there.
    """
    planes = run.pairs(seed).planes
    normal, target = planes["protected"].normal, planes["target"].normal
    names = ("plane normal", "partner's way", INVERTED, MARGINAL, PARTIAL)

    def make(folder: Path) -> None:
        traits = trait_directions(*unseen_latents(run), run.experiment.protected)
        found = [normal, normal - (normal @ target) * target, inverted_direction(run, n)[0]]
        found += [traits[name][0] for name in (MARGINAL, PARTIAL)]
        save_array(folder / "directions.npy", np.stack([v / np.linalg.norm(v) for v in found]))

    inputs = {"partners": run.pairs(seed).partners.fingerprint, "latents": run.pairs(0).faces.fingerprint}
    inputs |= {"oracle": run.reader.fingerprint, "data": run.data.fingerprint}
    config = {"n": n, "search": (HALFWAY_STEPS, STEPS, LEARNING_RATE), "n_fit": run.pairs(0).method.n_fit}
    step = run.store.step(f"directions/seed{seed}-{n}", make, config=config, inputs=inputs)
    return step, dict(zip(names, load_array(step.folder / "directions.npy"), strict=True))


def _gradients(z: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return regression coefficients, (1 + PARTS, d, 40): of all latents, and without each part of them."""
    x = np.column_stack([z, np.ones(len(z))]).astype(np.float64)  # (n, d + 1)
    least = math.ceil(LATENTS_PER_DIMENSION * x.shape[1] * PARTS / (PARTS - 1))
    if len(x) < least:
        raise UserError(
            f"A regression on {z.shape[1]} dimensions needs {least} latents that no plane was fitted to; the "
            f"run has {len(z)}; use a preset with more."
        )
    parts = [slice(part, None, PARTS) for part in range(PARTS)]
    products = np.stack([x[part].T @ x[part] for part in parts])  # (parts, d + 1, d + 1)
    targets = np.stack([x[part].T @ logits[part].astype(np.float64) for part in parts])  # (parts, d + 1, 40)
    left, right = (np.concatenate([m.sum(0)[None], m.sum(0) - m]) for m in (products, targets))
    solved: np.ndarray = np.linalg.solve(left, right)
    return solved[:, :-1]  # (1 + parts, d, 40): without the intercept


def _inverted(generator: Generator, absent: np.ndarray, present: np.ndarray, seed: int) -> np.ndarray:
    """Return the latents of both pictures of b faces, (2, b, d) float32."""
    halfway = ((absent.astype(np.uint16) + present) // 2).astype(np.uint8)
    start = invert(generator, halfway, starts=1, steps=HALFWAY_STEPS, seed=seed, progress=False).z
    return np.stack([_descended(generator, start, images) for images in (absent, present)])


def _descended(generator: Generator, start: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Move latents (b, d) on their sphere towards those whose pictures are the images."""
    device = generator_device(generator)
    target = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1  # (b, 3, h, h)
    target = F.avg_pool2d(target, target.shape[-1] // generator.resolution)  # (b, 3, r, r)
    z = torch.tensor(start, device=device, requires_grad=True)  # a copy: it moves
    optimiser = torch.optim.Adam([z], LEARNING_RATE, betas=(0.9, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        loss = (generator(z) - target).square().flatten(1).mean(dim=1).sum()
        (z.grad,) = torch.autograd.grad(loss, [z])  # leaves the weights' gradients alone
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            z.copy_(F.normalize(z, dim=1) * math.sqrt(z.shape[1]))
    return z.detach().cpu().numpy()
