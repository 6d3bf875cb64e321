"""Steps 4 and 5: hyperplanes fitted to labelled latents, and the partners that they prescribe."""

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fairlab.latent import Hyperplane, domain_partner, fit_domain_planes, flipped_partners, skewed_rows
from fairlab.latent.hyperplane import OneSidedLabels

Planes = dict[str, Hyperplane]

#: Names of the target's planes where each protected group has its own: without the attribute, with it.
DOMAIN_PLANES = ("target_without", "target_with")


def fit_planes(
    z: np.ndarray,
    labels: Mapping[str, np.ndarray],
    *,
    held_out: tuple[np.ndarray, Mapping[str, np.ndarray]],
    names: Mapping[str, str] = MappingProxyType({}),
    by_group: bool = False,
    positive_share: float | None = None,
    seed: int = 0,
) -> Planes:
    """Fit a hyperplane for every role.

    Parameters
    ----------
    z : (n, d) array
        Latents.
    labels : mapping of str to (n,) arrays of 0 and 1
        By role: "target", "protected", and further protected attributes by name.
    held_out : pair
        Latents (m, d) and their labels by role, on which each plane's accuracy is measured.
    names : mapping of str to str
        Attributes by role, for what is said of them.
    by_group : bool
        Fit the target within each protected group, too: `DOMAIN_PLANES`.
    positive_share : float, optional
        Fit to a subset of the latents of which this share, in (0, 1), is positive.
    seed : int
        Of that subset.

    Returns
    -------
    dict of str to Hyperplane

    Raises
    ------
    OneSidedLabels
        If of a role's labels one is missing; the sentence names the attribute.
    """
    planes = {}
    for role, y in labels.items():
        try:
            rows = np.arange(len(y)) if positive_share is None else skewed_rows(y, positive_share, seed=seed)
            planes[role] = _fitted(z[rows], y[rows], (held_out[0], held_out[1][role]), names.get(role, role))
        except OneSidedLabels as error:
            raise OneSidedLabels(
                f"Labels of '{names.get(role, role)}' on generated faces: {error}"
            ) from error
    if by_group:
        both = fit_domain_planes(z, labels["target"], labels["protected"])
        planes |= dict(zip(DOMAIN_PLANES, both, strict=True))
    return planes


def _fitted(
    z: np.ndarray, y: np.ndarray, held_out: tuple[np.ndarray, np.ndarray], attribute: str
) -> Hyperplane:
    """Fit one hyperplane; print in a line, without a place in the code, what the fit warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        plane = Hyperplane.fit(z, y, held_out=held_out)
    for warning in caught:
        print(f"'{attribute}' on generated faces: {warning.message}", file=sys.stderr)
    return plane


def partners(z: np.ndarray, planes: Planes, kind: str) -> np.ndarray:
    """Return the partners of latents (n, d): (m · n, d), one block of n for each combination of flips.

    With one protected attribute there is one block. With k there are 2^k - 1, in the order of
    `fairlab.latent.flip_combinations`: the first flips only the first attribute. `kind` is one of
    `fairlab.latent.PARTNERS`.
    """
    if DOMAIN_PLANES[0] in planes:
        targets = planes[DOMAIN_PLANES[0]], planes[DOMAIN_PLANES[1]]
        return domain_partner(z, protected=planes["protected"], targets=targets, kind=kind)
    protected = [plane for role, plane in planes.items() if role != "target"]
    blocks = flipped_partners(z, protected=protected, target=planes["target"], kind=kind)  # (m, n, d)
    return blocks.reshape(-1, z.shape[1])  # (m · n, d)


def save_planes(folder: Path, planes: Planes) -> None:
    """Write each plane as ``NN_ROLE.json``, in order."""
    for number, (role, plane) in enumerate(planes.items()):
        plane.save(folder / f"{number:02d}_{role}.json")


def load_planes(folder: Path) -> Planes:
    """Read what `save_planes` wrote, in order."""
    return {file.stem[3:]: Hyperplane.load(file) for file in sorted(folder.glob("[0-9][0-9]_*.json"))}
