"""Steps 4 and 5 in latent space: which hyperplanes are fitted to what, and where the partners lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fairlab.core.files import load_array
from fairlab.latent import (
    Hyperplane,
    domain_partner,
    fit_domain_planes,
    flipped_partners,
    skewed_rows,
)

if TYPE_CHECKING:
    from fairlab.experiments.run import Run

Planes = dict[str, Hyperplane]

#: Names of the target's planes where each protected group has its own: without the attribute, with it.
DOMAIN_PLANES = ("target_without", "target_with")


def fit_planes(run: Run, seed: int, folder: Path) -> None:
    """Write a hyperplane for every role, ``ROLE.json``; with target planes by group, also `DOMAIN_PLANES`."""
    e = run.experiment
    z, labels = _to_fit(run, seed)
    held_out = slice(e.n_fit, e.n_fit + e.n_held_out)
    beside, truth = run.z()[held_out], {role: y[held_out] for role, y in run.labels(seed).items()}
    for role, y in labels.items():
        share = e.positive_share
        rows = np.arange(len(y)) if share is None else skewed_rows(y, share, seed=e.seed)
        plane = Hyperplane.fit(z[rows], y[rows], held_out=(beside, truth[role]))
        plane.save(folder / f"{role}.json")
    if e.target_planes == "by_group":
        both = fit_domain_planes(z, labels["target"], labels["protected"])
        for name, plane in zip(DOMAIN_PLANES, both, strict=True):
            plane.save(folder / f"{name}.json")


def _to_fit(run: Run, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the latents to fit on and their labels: the first random ones, and inverted validation images.

    Inverted images have labels of their own; those need no classifier.
    """
    e = run.experiment
    z, labels = run.z()[: e.n_fit], {role: y[: e.n_fit] for role, y in run.labels(seed).items()}
    if not e.n_inverted:
        return z, labels
    inverted = run.inverted("valid")
    rows = load_array(inverted.folder / "rows.npy")
    known = {role: run.data.label(name, "valid")[rows] for role, name in run.roles.items()}
    return (
        np.concatenate([z, load_array(inverted.folder / "z.npy")]),
        {role: np.concatenate([y, known[role]]) for role, y in labels.items()},
    )


def partners_of(run: Run, seed: int) -> np.ndarray:
    """Return the partners of the run's latents, (m · n, d): one block of n for each combination of flips.

    With one protected attribute there is one block. With k there are 2^k - 1, in the order of
    `fairlab.latent.flip_combinations`: the first flips only the first attribute.
    """
    e, planes, z = run.experiment, run.all_hyperplanes(seed), run.pair_z()
    if e.target_planes == "by_group":
        targets = planes[DOMAIN_PLANES[0]], planes[DOMAIN_PLANES[1]]
        return domain_partner(z, protected=planes["protected"], targets=targets, variant=e.partner_variant)
    protected = [planes[role] for role in run.roles if role != "target"]
    blocks = flipped_partners(
        z, protected=protected, target=planes["target"], variant=e.partner_variant
    )  # (m, n, d)
    return blocks.reshape(-1, z.shape[1])  # (m · n, d)
