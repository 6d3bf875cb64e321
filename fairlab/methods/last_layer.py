"""What methods share that train the last layer anew."""

from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.fixes import parse_version

from fairlab.classifiers import Classifier, ImageArray
from fairlab.methods.cells import N_CELLS, counts_of
from fairlab.workspace.halves import halves_of_cells

#: Strengths of the L1 penalty that are tried, the paper's.
STRENGTHS = (1.0, 0.7, 0.3, 0.1, 0.07, 0.03, 0.01)
#: scikit-learn's words for an L1 penalty.
L1: dict[str, Any] = (
    {"l1_ratio": 1.0} if parse_version(sklearn.__version__) >= parse_version("1.8") else {"penalty": "l1"}
)


def seen_by_last(classifier: Classifier, images: ImageArray) -> np.ndarray:
    """Return what the last layer of a classifier sees of images, (n, d) float32, in evaluation mode."""
    features = torch.from_numpy(classifier.features(images)).to(classifier.device)
    with torch.inference_mode():
        seen: np.ndarray = classifier.network.before_last(features).cpu().numpy()
    return seen


@torch.no_grad()
def set_last(classifier: Classifier, weight: np.ndarray, bias: np.ndarray) -> None:
    """Set the weights (k, d) and biases (k,) of the last layer."""
    last = classifier.network.last
    last.weight.copy_(torch.from_numpy(weight))
    last.bias.copy_(torch.from_numpy(bias))


def balanced_fit(x: np.ndarray, cells: np.ndarray, n: int, random: np.random.Generator) -> tuple[Any, float]:
    """Return weights (d,) and bias for features x (m, d) with cells (m,): the mean of `n` balanced fits."""
    fit, judge = halves_of_cells(cells // 2, cells % 2, int(random.integers(2**31)))
    rows = fit[balanced_rows(cells[fit], random)]  # the same for all strengths

    def worst(strength: float) -> float:
        right = _fitted(x[rows], cells[rows], strength).predict(x[judge]) == cells[judge] // 2
        return float(min(right[cells[judge] == cell].mean() for cell in range(N_CELLS)))

    strength = max(STRENGTHS, key=worst)  # of equals the first
    subsets = [balanced_rows(cells, random) for _ in range(n)]
    models = [_fitted(x[rows], cells[rows], strength) for rows in subsets]
    return np.mean([m.coef_[0] for m in models], axis=0), float(np.mean([m.intercept_ for m in models]))


def balanced_rows(cells: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw as many rows of every cell, without replacement, as the smallest has."""
    least = counts_of(cells).min()
    return np.concatenate([random.permutation(np.flatnonzero(cells == c))[:least] for c in range(N_CELLS)])


def _fitted(x: np.ndarray, cells: np.ndarray, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="liblinear", random_state=0, **L1).fit(x, cells // 2)
