"""Ways to train a classifier: a new one is one file here, and one line in `METHODS`."""

from fairlab.methods.base import Counts, Method, describe, load_classifier, method_from, train
from fairlab.methods.erm import ERM
from fairlab.methods.latent_pairs import LatentPairs, Pairs, UnpairedFaces
from fairlab.methods.oversampling import AddedOversampling, Oversampling
from fairlab.methods.unbiased_faces import UnbiasedFaces

#: Every method by its name on the command line, in the order of tables.
METHODS: dict[str, type[Method]] = {
    method.name: method
    for method in (ERM, Oversampling, AddedOversampling, UnbiasedFaces, UnpairedFaces, LatentPairs)
}

__all__ = [
    "ERM", "METHODS", "AddedOversampling", "Counts", "LatentPairs", "Method", "Oversampling",
    "Pairs", "UnbiasedFaces", "UnpairedFaces", "describe", "load_classifier", "method_from",
    "train",
]  # fmt: skip
