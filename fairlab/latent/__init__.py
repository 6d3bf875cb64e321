"""Geometry of the latent space: hyperplanes between labels, and the partner z' of a latent z."""

from fairlab.latent.hyperplane import Hyperplane
from fairlab.latent.partners import VARIANTS, check_variant, nearest_with_distances, partner
from fairlab.latent.projection import plane_basis, plane_coordinates
from fairlab.latent.walk import walk

__all__ = [
    "VARIANTS",
    "Hyperplane",
    "check_variant",
    "nearest_with_distances",
    "partner",
    "plane_basis",
    "plane_coordinates",
    "walk",
]
