"""What step 6 adds to the real images: pairs, one half of them, or a control of the same size.

Every addition has its labels. By its construction the pairs have, for each target label, as many images of
one protected group as of the other. Each control does one part of that without latent geometry:

- ``unpaired``: as many random generated faces as the pairs have, labelled in the same way; no balance.
- ``oversampling``: real training images again, drawn so that the groups are balanced within each label.
- ``unbiased_faces``: new drawn faces in which target and protected attribute are independent, with the
  labels that annotators would give: what new data without the association buy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fairlab.classifiers import Concatenated
from fairlab.classifiers.images import ImageArray, Selected
from fairlab.core.files import load_array
from fairlab.data.sources import open_source
from fairlab.workspace.shared import prepare_data

if TYPE_CHECKING:
    from fairlab.experiments.run import Run


class TrainingSet(NamedTuple):
    """Images, their labels, and what identifies both (names to fingerprints)."""

    images: ImageArray  # (n, h, w, 3) uint8
    labels: np.ndarray  # (n,) of the target, or (n, k); 0 or 1
    marks: dict[str, str]


def real_images(run: Run, attributes: tuple[str, ...]) -> TrainingSet:
    """Return the real training images, X, with their labels for k attributes."""
    labels = run.data.label_columns(attributes, "train")
    return TrainingSet(run.images("train"), labels, {"data": run.data.fingerprint})


def augmented(run: Run, seed: int) -> TrainingSet:
    """Return X and what the run's variant adds to it, for one training seed."""
    real = real_images(run, (run.experiment.target,))
    added = ADDED.get(run.experiment.variant, pairs)(run, seed)
    return TrainingSet(
        Concatenated([real.images, added.images]),
        np.concatenate([real.labels, added.labels[:, None]]),  # (n + m, 1)
        real.marks | added.marks,
    )


def pairs(run: Run, seed: int) -> TrainingSet:
    """Return all z and all z': both carry the label that was given to z (the paper's X_aug)."""
    first, second = z_only(run, seed), z_prime_only(run, seed)
    if run.experiment.n_inverted:  # their z are images that X already has
        return second
    return TrainingSet(
        Concatenated([first.images, second.images]),
        np.concatenate([first.labels, second.labels]),
        first.marks | second.marks,
    )


def z_only(run: Run, seed: int) -> TrainingSet:
    """Return the images of all z, with the labels given to them."""
    return TrainingSet(run.pair_images(), run.pair_labels(seed), run.label_marks(seed))


def z_prime_only(run: Run, seed: int) -> TrainingSet:
    """Return the images of all partners, each with the label of its z."""
    step = run.partners(seed)
    images = load_array(step.folder / "images.npy", mapped=True)
    given = run.pair_labels(seed)
    labels = np.tile(given, len(images) // len(given))  # one block for each combination of flips
    return TrainingSet(images, labels, run.label_marks(seed) | {"partners": step.fingerprint})


def unpaired(run: Run, seed: int) -> TrainingSet:
    """Return twice as many random generated faces as there are pairs, labelled like any z."""
    more = run.further_latents()
    labelled = run.labelling("target", seed, more)
    fresh = TrainingSet(
        load_array(more.folder / "images.npy", mapped=True),
        labelled.labels,
        {"further_latents": more.fingerprint, "further_labels": labelled.generated.fingerprint},
    )
    first = z_only(run, seed)
    return TrainingSet(
        Concatenated([first.images, fresh.images]),
        np.concatenate([first.labels, fresh.labels]),
        first.marks | fresh.marks,
    )


def oversampling(run: Run, seed: int) -> TrainingSet:
    """Return real images, drawn again so that both protected groups are equally frequent in each label."""
    e = run.experiment
    y, a = run.data.label(e.target, "train"), run.data.label(e.protected, "train")
    rows = balanced_rows(y, a, 2 * e.n_pairs, seed=e.seed + seed)
    return TrainingSet(
        Selected(run.images("train"), rows), y[rows], {"protected": e.protected, "n": str(len(rows))}
    )


def balanced_rows(y: np.ndarray, a: np.ndarray, n: int, *, seed: int) -> np.ndarray:
    """Draw `n` rows with replacement: labels as frequent as they are, groups equally frequent in each.

    Parameters
    ----------
    y, a : arrays of shape (m,)
        Target and protected labels, 0 or 1; every combination occurs.
    n, seed : int
        Rows to draw, and the seed of the draw.

    Returns
    -------
    (n,) integer array
    """
    cells = 2 * y.astype(int) + a  # (m,) 0..3
    counts = np.bincount(cells, minlength=4).reshape(2, 2)  # (label, group)
    weights = counts.sum(axis=1, keepdims=True) / (2 * counts)
    chances = weights.ravel()[cells] / len(y)
    return np.random.default_rng([seed, n]).choice(len(y), size=n, p=chances)


def unbiased_faces(run: Run, seed: int) -> TrainingSet:
    """Return new drawn faces, two for each pair, in which target and protected do not go together."""
    e = run.experiment
    source = open_source(
        "synthfaces",
        n_train=2 * e.n_pairs,
        n_valid=0,
        n_test=0,
        seed=e.seed + UNBIASED_SEED,  # the run's own seed would give the run's own faces
        associations={(e.target, e.protected): 0.0},
    )
    data = prepare_data(source, run.home, e.image_size)
    marks = {"unbiased_faces": data.fingerprint}
    return TrainingSet(data.split_images("train"), data.label(e.target, "train"), marks)


#: Offset from a run's seed to that of its unbiased faces.
UNBIASED_SEED = 500_000

#: What a variant adds, where it is not the pairs.
ADDED: dict[str, Callable[[Run, int], TrainingSet]] = {
    "z_only": z_only,
    "z_prime_only": z_prime_only,
    "unpaired": unpaired,
    "oversampling": oversampling,
    "unbiased_faces": unbiased_faces,
}
