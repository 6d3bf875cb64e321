"""Walks along the normals of hyperplanes: what a latent becomes when one label is strengthened."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.latent.hyperplane import Hyperplane, check_latents
from fairlab.latent.partners import nearest_with_distances


def walk(
    z: ArrayLike, planes: Sequence[Hyperplane], steps: ArrayLike, *, conditioned: bool = True
) -> np.ndarray:
    """Return latents moved by given steps across several hyperplanes.

    Parameters
    ----------
    z : array of shape (n, d)
        Latents.
    planes : sequence of k hyperplanes
    steps : array of shape (n, k) or (k,), or one number for all
        How far to go across each plane, in units of the latent space; positive towards the label.
    conditioned : bool
        True changes each signed distance by exactly its step, so a plane with step 0 keeps its distance.
        False adds the normals, each times its step: where normals are not orthogonal, other distances change.

    Returns
    -------
    array of shape (n, d), float64

    Raises
    ------
    UserError
        If dimensions or shapes differ, values are not finite, or conditioned planes are parallel.

    Notes
    -----
    Source: Shen, Gu, Tang, Zhou, *Interpreting the Latent Space of GANs for Semantic Face Editing*, CVPR
    2020, for two attributes; here for any number, as the nearest point with the wanted distances.

    Examples
    --------
    >>> planes = Hyperplane([1.0, 0.0], 0.0), Hyperplane([0.6, 0.8], 0.0)
    >>> walk([[0.5, 2.0]], planes, [0, 1]).round(6)
    array([[0.5 , 3.25]])
    >>> walk([[0.5, 2.0]], planes, [0, 1], conditioned=False).round(6)
    array([[1.1, 2.8]])
    """
    latents = check_latents(z)
    if not planes:
        return latents
    present = np.stack([plane.distance(latents) for plane in planes], axis=1)  # (n, k)
    wanted = np.asarray(steps, dtype=np.float64)
    if wanted.shape not in ((), present.shape[1:], present.shape) or not np.isfinite(wanted).all():
        raise UserError(
            f"Steps must be finite and of shape {present.shape} or {present.shape[1:]}, one for each plane; "
            f"these have shape {wanted.shape}."
        )
    wanted = np.broadcast_to(wanted, present.shape)
    if not conditioned:
        return latents + wanted @ np.stack([plane.normal for plane in planes])  # (n, k) @ (k, d)
    return nearest_with_distances(latents, planes, present + wanted)
