"""Classifiers: networks, the training loop, scoring."""

from fairlab.classifiers.images import Concatenated, ImageArray, Selected
from fairlab.classifiers.recipe import PAPER, Recipe
from fairlab.classifiers.scoring import Classifier
from fairlab.classifiers.training import train_classifier

__all__ = ["PAPER", "Classifier", "Concatenated", "ImageArray", "Recipe", "Selected", "train_classifier"]
