"""Several protected attributes: one partner of z for each combination of them that is flipped."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.latent.hyperplane import Hyperplane, check_latents
from fairlab.latent.partners import PARTNERS, check_partner, nearest_with_distances, plane_distances

#: Each further protected attribute doubles the partners: 6 give 63 for every z.
MOST_PROTECTED = 6


def flip_combinations(k: int) -> list[tuple[int, ...]]:
    """Return which of k protected attributes are flipped, for each partner of a latent.

    Parameters
    ----------
    k : int
        Number of protected attributes, 1..6.

    Returns
    -------
    list of 2**k - 1 tuples
        Numbers of the attributes, from 0: single flips first, in order, then pairs, and so on.

    Raises
    ------
    UserError
        If k is out of range.

    Examples
    --------
    >>> flip_combinations(2)
    [(0,), (1,), (0, 1)]
    """
    if not 1 <= k <= MOST_PROTECTED:
        raise UserError(f"Between 1 and {MOST_PROTECTED} protected attributes can be flipped, not {k}.")
    return [flipped for size in range(1, k + 1) for flipped in combinations(range(k), size)]


def flipped_partners(
    z: ArrayLike, *, protected: Sequence[Hyperplane], target: Hyperplane, kind: str = "mirrored"
) -> np.ndarray:
    """Return a partner of each latent for each combination of flipped protected attributes.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    protected : sequence of k hyperplanes, k in 1..6
        Planes of the protected attributes.
    target : Hyperplane
        Plane of the target attribute.
    kind : {"mirrored", "on_hyperplane", "perpendicular", "perpendicular_on_hyperplane", "margin"}
        What a flip makes of the distance to a protected plane; see `partner`. The perpendicular kinds do
        not look at the target plane; the protected attributes that are not flipped stay there too.

    Returns
    -------
    array of shape (2**k - 1, n, d), float64
        In the order of `flip_combinations`.

    Raises
    ------
    UserError
        If k is out of range, the kind is unknown, the planes are dependent, or dimensions differ.

    Notes
    -----
    Each partner is the nearest point with the wanted distances, hence with one protected attribute it is
    `partner`. With "mirrored", a combination flipped twice gives z again, and one flip after another is both.
    Source: Ramaswamy et al., CVPR 2021, the experiments with two protected attributes.
    """
    keeps_target, protected_distance = PARTNERS[check_partner(kind)]
    flips = flip_combinations(len(protected))
    planes = [*protected, target] if keeps_target else [*protected]
    latents = check_latents(z, target.dimension)
    kept = plane_distances(latents, planes)  # (n, k or k + 1)
    changed = np.stack([protected_distance(latents, plane, target) for plane in protected], axis=1)  # (n, k)
    partners = np.empty((len(flips), *latents.shape))  # (2**k - 1, n, d)
    for partner, flipped in zip(partners, flips, strict=True):
        wanted = kept.copy()
        wanted[:, flipped] = changed[:, flipped]
        partner[:] = nearest_with_distances(latents, planes, wanted)
    return partners
