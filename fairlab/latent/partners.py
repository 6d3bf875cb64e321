"""The partner z' of a latent z: same side of the target plane, other side of the protected plane."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError, nearest_names
from fairlab.latent.hyperplane import Hyperplane, check_latents, project

#: Distance of a "margin" partner from the protected plane; latents' distances have a standard deviation
#: of 1. Chosen on SynthFaces, whose oracle saw most partners keep one label and change the other at 0.5.
MARGIN = 0.5


class Partner(NamedTuple):
    """What a partner's distances are, given those of z."""

    #: whether the signed distance to the target plane is prescribed to stay
    keeps_target: bool
    #: the signed distance to the protected plane, (n,), from latents, protected and target plane
    protected_distance: Callable[[np.ndarray, Hyperplane, Hyperplane], np.ndarray]


def mirrored(latents: np.ndarray, protected: Hyperplane, target: Hyperplane) -> np.ndarray:
    """Return the negated signed distances, (n,): as far on the other side as z is on its own."""
    return -protected.distance(latents)


def none(latents: np.ndarray, protected: Hyperplane, target: Hyperplane) -> np.ndarray:
    """Return no distance, (n,): on the hyperplane."""
    return np.zeros(len(latents))


def margin(latents: np.ndarray, protected: Hyperplane, target: Hyperplane) -> np.ndarray:
    """Return `MARGIN` with the other side's sign, (n,): clearly across, and no further than it takes.

    Where the labels go together, a mirrored partner lies where the generator hardly ever was: it takes the
    strongest label of one group to the far end of the other.
    """
    return np.where(protected.distance(latents) > 0, -MARGIN, MARGIN)


#: The method and the ablations of the paper, and a partner that stays nearer to what the generator knows.
PARTNERS: dict[str, Partner] = {
    "mirrored": Partner(keeps_target=True, protected_distance=mirrored),
    "on_hyperplane": Partner(keeps_target=True, protected_distance=none),
    "perpendicular": Partner(keeps_target=False, protected_distance=mirrored),
    "perpendicular_on_hyperplane": Partner(keeps_target=False, protected_distance=none),
    "margin": Partner(keeps_target=True, protected_distance=margin),
}

#: Below this smallest singular value of the unit normals, planes count as parallel: changing one distance
#: by 1 could need a step of 100,000 in latent space.
PARALLEL = 1e-5


def nearest_with_distances(z: ArrayLike, planes: Sequence[Hyperplane], distances: ArrayLike) -> np.ndarray:
    """Return the points nearest to `z` that have prescribed signed distances to several planes.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    planes : sequence of k hyperplanes
        No normal may be a combination of the others.
    distances : array of shape (n, k)
        Wanted signed distance of each point to each plane, in units of the latent space.

    Returns
    -------
    array of shape (n, d), float64

    Raises
    ------
    UserError
        If dimensions or shapes differ, values are not finite, or the planes are parallel.

    Notes
    -----
    With normals as rows of W, intercepts b and wanted distances r, the minimum-norm solution is
    ``z' = z + Wᵀ (W Wᵀ)⁻¹ (r - W z - b)``. ``Wᵀ (W Wᵀ)⁻¹`` is the pseudo-inverse of W, which an SVD
    gives without squaring the condition number.
    """
    wanted = np.asarray(distances, dtype=np.float64)
    normals = independent_normals(planes)  # (k, d)
    latents = check_latents(z, normals.shape[1])
    present = plane_distances(latents, planes)  # (n, k)
    if wanted.shape != (len(latents), len(planes)) or not np.isfinite(wanted).all():
        raise UserError(
            f"Prescribed distances must be finite and of shape {(len(latents), len(planes))}, one for each "
            f"latent and plane; these have shape {wanted.shape}."
        )
    nearest = (wanted - present) @ np.linalg.pinv(normals).T  # (n, k) @ (k, d)
    nearest += latents  # in place: these arrays can be large
    return nearest


def plane_distances(z: ArrayLike, planes: Sequence[Hyperplane]) -> np.ndarray:
    """Return the signed distance of each latent (n, d) to each of k planes, (n, k) float64.

    Raises
    ------
    UserError
        If there is no plane, dimensions differ, or `z` is not a finite array of shape (n, d).
    """
    return project(z, stacked_normals(planes)) + [plane.intercept for plane in planes]


def check_partner(name: str) -> str:
    """Return `name` if it is one of `PARTNERS`.

    Raises
    ------
    UserError
        If it is not; the sentence suggests the nearest names.
    """
    if name not in PARTNERS:
        raise UserError(f"There is no partner kind '{name}'; {nearest_names(name, PARTNERS)}")
    return name


def partner(z: ArrayLike, *, protected: Hyperplane, target: Hyperplane, kind: str = "mirrored") -> np.ndarray:
    """Return the partner z' of each latent z.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    protected, target : Hyperplane
        Planes of the protected and of the target attribute.
    kind : {"mirrored", "on_hyperplane", "perpendicular", "perpendicular_on_hyperplane", "margin"}
        "mirrored" negates the signed distance to the protected plane and keeps that to the target plane.
        "on_hyperplane" makes the protected distance 0 instead. The perpendicular ones move along the
        protected normal, whatever that does to the target distance. "margin", which is not in the paper,
        keeps the target distance and puts z' at a distance of 0.5 on the other side, however far z is.

    Returns
    -------
    array of shape (n, d), float64

    Raises
    ------
    UserError
        If the kind is unknown, the planes are parallel, or dimensions differ.

    Notes
    -----
    With unit normals and ``c = w_t · w_a`` the paired partner is
    ``z' = z - 2 (w_a · z + b_a) / (1 - c²) (w_a - c w_t)``.
    Source: Ramaswamy et al., CVPR 2021, Section 3.2 and the ablations of its supplement.

    Examples
    --------
    >>> target, protected = Hyperplane([1.0, 0.0], 0.0), Hyperplane([0.6, 0.8], 0.0)
    >>> moved = partner([[0.5, 2.0]], protected=protected, target=target)
    >>> moved.round(6)
    array([[ 0.5 , -2.75]])
    >>> protected.distance([[0.5, 2.0]]).round(6), protected.distance(moved).round(6)
    (array([1.9]), array([-1.9]))
    """
    keeps_target, protected_distance = PARTNERS[check_partner(kind)]
    planes = [protected, target] if keeps_target else [protected]
    latents = check_latents(z, protected.dimension)
    wanted = plane_distances(latents, planes)  # (n, 1 or 2), the protected plane's first
    wanted[:, 0] = protected_distance(latents, protected, target)
    return nearest_with_distances(latents, planes, wanted)


def stacked_normals(planes: Sequence[Hyperplane]) -> np.ndarray:
    """Return the unit normals as rows, (k, d), or raise UserError if there are none or dimensions differ."""
    if not planes:
        raise UserError("At least one hyperplane is needed to prescribe distances.")
    for plane in planes[1:]:
        planes[0].cosine(plane)  # raises where dimensions differ
    return np.stack([plane.normal for plane in planes])


def independent_normals(planes: Sequence[Hyperplane]) -> np.ndarray:
    """Return the unit normals as rows, (k, d), or raise UserError if they are parallel or dependent."""
    normals = stacked_normals(planes)
    if len(planes) > planes[0].dimension or np.linalg.svd(normals, compute_uv=False)[-1] < PARALLEL:
        cosines = np.abs(normals @ normals.T)[~np.eye(len(planes), dtype=bool)]
        raise UserError(
            f"The hyperplanes are parallel or dependent (largest |cosine| {cosines.max():.9f}), so one "
            f"distance cannot change while the others stay; choose attributes the generator tells apart."
        )
    return normals
