"""Classifiers: networks, the training loop, scoring."""

from fairlab.classifiers.batches import Batch, TrainingSet
from fairlab.classifiers.images import Concatenated, ImageArray, Selected
from fairlab.classifiers.recipe import PAPER, Recipe
from fairlab.classifiers.scoring import Classifier
from fairlab.classifiers.training import cross_entropy, cross_entropy_of, fit, train_classifier

__all__ = [
    "PAPER", "Batch", "Classifier", "Concatenated", "ImageArray", "Recipe", "Selected",
    "TrainingSet", "cross_entropy", "cross_entropy_of", "fit", "train_classifier",
]  # fmt: skip
