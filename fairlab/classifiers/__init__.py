"""Classifiers: networks, the training loop, scoring."""

from typing import TYPE_CHECKING

from fairlab.core.lazy import lazy_names

if TYPE_CHECKING:
    from fairlab.classifiers.batches import Batch
    from fairlab.classifiers.images import Concatenated, ImageArray, Selected
    from fairlab.classifiers.networks import build_network
    from fairlab.classifiers.recipe import PAPER, Recipe
    from fairlab.classifiers.scoring import CARD_FILE, Classifier
    from fairlab.classifiers.selection import Validation
    from fairlab.classifiers.training import cross_entropy, cross_entropy_of, fit, train_classifier
    from fairlab.classifiers.training_set import TrainingSet

__all__ = [
    "CARD_FILE", "PAPER", "Batch", "Classifier", "Concatenated", "ImageArray", "Recipe", "Selected",
    "TrainingSet", "Validation", "build_network", "cross_entropy", "cross_entropy_of",
    "fit", "train_classifier",
]  # fmt: skip

__getattr__, __dir__ = lazy_names(__name__, __file__)
