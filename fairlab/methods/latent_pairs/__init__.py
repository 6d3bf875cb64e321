"""Pairs of generated faces (Ramaswamy et al., CVPR 2021), and generated faces without partners."""

from fairlab.methods.latent_pairs.method import LatentPairs
from fairlab.methods.latent_pairs.pairs import Pairs
from fairlab.methods.latent_pairs.unpaired import UnpairedFaces

__all__ = ["LatentPairs", "Pairs", "UnpairedFaces"]
