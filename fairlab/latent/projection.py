"""Latents seen in the plane that two normals span, for drawing."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.latent.hyperplane import Hyperplane, project
from fairlab.latent.partners import independent_normals


def plane_basis(target: Hyperplane, protected: Hyperplane) -> np.ndarray:
    """Return an orthonormal basis of the span of both normals, (2, d).

    The first vector is the target normal; the second is the part of the protected normal orthogonal to
    it, the direction in which a paired partner moves.

    Raises
    ------
    UserError
        If the planes are parallel or their dimensions differ.
    """
    across, normal = independent_normals([target, protected])
    along = normal - (normal @ across) * across
    return np.stack([across, along / np.linalg.norm(along)])


def plane_coordinates(z: ArrayLike, target: Hyperplane, protected: Hyperplane) -> np.ndarray:
    """Return each latent's coordinates in `plane_basis`, (n, 2).

    A hyperplane shows there as the straight line ``(basis @ normal) · x + intercept = 0``, and a point's
    distance to that line is the latent's signed distance to the hyperplane. The target line is the
    vertical at ``-target.intercept``.
    """
    return project(z, plane_basis(target, protected))
