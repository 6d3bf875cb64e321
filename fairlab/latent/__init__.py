"""Geometry of the latent space: hyperplanes between labels, and the partners z' of a latent z."""

from fairlab.latent.domains import domain_partner, fit_domain_planes
from fairlab.latent.flips import flip_combinations, flipped_partners
from fairlab.latent.hyperplane import Hyperplane
from fairlab.latent.partners import PARTNERS, check_partner, nearest_with_distances, partner, plane_distances
from fairlab.latent.projection import plane_basis, plane_coordinates
from fairlab.latent.skew import skewed_rows
from fairlab.latent.walk import walk

__all__ = [
    "PARTNERS", "Hyperplane", "check_partner", "domain_partner", "fit_domain_planes",
    "flip_combinations", "flipped_partners", "nearest_with_distances", "partner", "plane_basis",
    "plane_coordinates", "plane_distances", "skewed_rows", "walk",
]  # fmt: skip
