"""Domain-dependent partners: the target plane is fitted separately in each protected group."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.latent.hyperplane import Hyperplane, check_latents
from fairlab.latent.partners import PARTNERS, check_partner, nearest_with_distances
from fairlab.latent.skew import check_labels

#: The protected groups, in the order of their target planes.
GROUPS = ("without the protected attribute", "with the protected attribute")

#: Latents handled at a time, so that copies of a group's rows stay small beside the result.
CHUNK = 4096


def fit_domain_planes(
    z: ArrayLike,
    target_labels: ArrayLike,
    protected_labels: ArrayLike,
    *,
    held_out: tuple[ArrayLike, ArrayLike, ArrayLike] | float | None = None,
) -> tuple[Hyperplane, Hyperplane]:
    """Fit the target plane twice: among images without the protected attribute, and among those with it.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    target_labels, protected_labels : arrays of shape (n,)
        0 or 1 for the image generated from each latent.
    held_out : triple (z, target_labels, protected_labels), or float, optional
        Latents on which each plane's `held_out_accuracy` is measured, within its group; a fraction in (0, 1)
        takes the last rows of each group.

    Returns
    -------
    pair of Hyperplane
        The planes of the group without and of the group with the protected attribute.

    Raises
    ------
    UserError
        If shapes differ, values are not finite or not 0 and 1, or a group lacks positives or negatives; the
        sentence names the group.

    Notes
    -----
    Source: Ramaswamy et al., CVPR 2021, the experiments with domain-dependent hyperplanes; each fit is
    `Hyperplane.fit`.
    """
    to_fit = _by_group(z, target_labels, protected_labels)
    if held_out is None or isinstance(held_out, int | float):
        return _fit(GROUPS[0], to_fit[0], held_out), _fit(GROUPS[1], to_fit[1], held_out)
    to_measure = _by_group(*held_out)
    return _fit(GROUPS[0], to_fit[0], to_measure[0]), _fit(GROUPS[1], to_fit[1], to_measure[1])


def domain_partner(
    z: ArrayLike, *, protected: Hyperplane, targets: tuple[Hyperplane, Hyperplane], kind: str = "mirrored"
) -> np.ndarray:
    """Return the partner z' of each latent z where each protected group has a target plane of its own.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    protected : Hyperplane
        Plane of the protected attribute. A latent at positive distance belongs to the group with the
        attribute, any other to the group without.
    targets : pair of Hyperplane
        Target planes of the group without and of the group with the attribute; see `fit_domain_planes`.
    kind : {"mirrored", "on_hyperplane", "margin"}
        What becomes of the distance to the protected plane; see `partner`.

    Returns
    -------
    array of shape (n, d), float64
        The nearest points that have, to the other group's target plane, the distance z has to its own
        group's. With two equal target planes this is `partner`.

    Raises
    ------
    UserError
        If the kind is unknown or ignores target planes, a target plane is parallel to the protected one,
        or dimensions differ.

    Notes
    -----
    The partner of a "mirrored" partner has the distances of z to the protected plane and to the target plane
    of its own group, to rounding, unless z lies on the protected plane. It is z itself only where the three
    normals lie in one plane, or where mirroring z at the protected plane alone already gives z'. Otherwise
    the two steps lie in different planes, and it is off z along the one direction of the normals' span that
    is orthogonal to both the protected normal and its own group's target normal. Flipping on and on
    converges: each double flip is cos²φ times as long as the one before, φ being the angle between the parts
    of the two target normals that are orthogonal to the protected normal.

    Source: Ramaswamy et al., CVPR 2021, the experiments with domain-dependent hyperplanes. The published code
    takes the group from the image's label, not from the side of the plane, and a point that has the wanted
    distances without being the nearest.
    """
    _check_keeps_target(kind)
    latents = check_latents(z, protected.dimension)
    partners = np.empty_like(latents)  # (n, d)
    # At least once, so that planes are checked where there is no latent.
    for first in range(0, max(len(latents), 1), CHUNK):
        chunk = slice(first, first + CHUNK)
        _fill_partners(partners[chunk], latents[chunk], protected, targets, kind)
    return partners


def _fill_partners(
    partners: np.ndarray,
    latents: np.ndarray,
    protected: Hyperplane,
    targets: tuple[Hyperplane, Hyperplane],
    kind: str,
) -> None:
    with_attribute = protected.distance(latents) > 0  # (n,)
    for own, other, group in ((*targets, False), (*targets[::-1], True)):
        rows = with_attribute == group
        members = latents[rows]  # (n of the group, d)
        across = PARTNERS[kind].protected_distance(members, protected, own)
        wanted = np.stack([across, own.distance(members)], axis=1)  # (n of the group, 2)
        partners[rows] = nearest_with_distances(members, [protected, other], wanted)


def _check_keeps_target(kind: str) -> None:
    if not PARTNERS[check_partner(kind)].keeps_target:
        keeping = ", ".join(name for name, rule in PARTNERS.items() if rule.keeps_target)
        raise UserError(
            f"The partner kind '{kind}' ignores target planes, so they cannot depend on the group; "
            f"choose one of {keeping}."
        )


def _fit(
    group: str,
    labelled: tuple[np.ndarray, np.ndarray],
    held_out: tuple[np.ndarray, np.ndarray] | float | None,
) -> Hyperplane:
    if isinstance(held_out, tuple) and not len(held_out[0]):
        raise UserError(f"No held-out latent is of an image {group}; hold out more.")
    try:
        return Hyperplane.fit(*labelled, held_out=held_out)
    except UserError as error:
        raise type(error)(f"No target plane can be fitted to the images {group}: {error}") from error


def _by_group(
    z: ArrayLike, target_labels: ArrayLike, protected_labels: ArrayLike
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the latents and target labels of each protected group."""
    latents = check_latents(z)
    positive = check_labels(target_labels, len(latents))
    protected = check_labels(protected_labels, len(latents))
    return [(latents[protected == group], positive[protected == group]) for group in (False, True)]
