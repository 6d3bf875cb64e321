"""Measures of a generator: how near its pictures are to real ones, how many it covers, what it copies.

Pure functions of feature vectors, whatever network gave them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.linalg import eigh, eigvalsh

from fairlab.core.errors import UserError

Features = npt.NDArray[np.floating]


def frechet_distance(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return the squared Fréchet distance of two Gaussians fitted to feature vectors.

    Parameters
    ----------
    first, second : arrays, (n, d) and (m, d)
        Features of two sets of images, at least two rows each.

    Returns
    -------
    float
        At least 0, and 0 for the same features; in squared units of a feature. It is biased upwards by small
        sets: compare distances of the same numbers of images only.

    Raises
    ------
    UserError
        If the arrays do not fit together or hold values that are not finite.

    Notes
    -----
    ``|m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Heusel et al., "GANs Trained by a Two Time-Scale Update
    Rule", NeurIPS 2017, equation 6).
    """
    a, b = _checked(first, second, least=2)
    means = [x.mean(axis=0) for x in (a, b)]
    covariances = [np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b)]
    offset = float(np.square(means[0] - means[1]).sum())
    root = _square_root(covariances[0])
    # C1 C2 has the eigenvalues of the symmetric C1^(1/2) C2 C1^(1/2), which are real and not negative.
    overlap = np.sqrt(np.maximum(eigvalsh(root @ covariances[1] @ root), 0)).sum()
    return max(0.0, offset + float(np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * overlap))


def _square_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = eigh(covariance)
    root: np.ndarray = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return root


@dataclass(frozen=True)
class Coverage:
    """Precision and recall of a generator, as counts.

    Attributes
    ----------
    realistic, n_generated : int
        Generated images within the manifold of the real ones, and all of them; their ratio is the precision.
    covered, n_real : int
        Real images within the manifold of the generated ones, and all of them; their ratio is the recall.
    """

    realistic: int
    n_generated: int
    covered: int
    n_real: int

    @property
    def precision(self) -> float:
        """Share of generated images that look like real ones, in [0, 1]."""
        return self.realistic / self.n_generated

    @property
    def recall(self) -> float:
        """Share of real images that the generator could have drawn, in [0, 1]."""
        return self.covered / self.n_real


def precision_and_recall(real: npt.ArrayLike, generated: npt.ArrayLike, *, k: int = 3) -> Coverage:
    """Count images of either set that lie in the manifold of the other.

    Parameters
    ----------
    real, generated : arrays, (n, d) and (m, d)
        Features, more than `k` rows each. Results depend on the numbers of images: larger sets have
        smaller neighbourhoods.
    k : int
        The manifold is the union of balls around each image that reach to its k-th nearest neighbour in
        its own set.

    Raises
    ------
    UserError
        If the arrays do not fit together, hold values that are not finite, or are too small for `k`.

    Notes
    -----
    Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", NeurIPS
    2019, equations 1 to 3, with their k = 3.
    """
    if k < 1:
        raise UserError(f"k is {k}; the k-th nearest neighbour needs k of at least 1.")
    tensors = [torch.from_numpy(x) for x in _checked(real, generated, least=k + 1)]
    radii = [_kth_distance(x, k) for x in tensors]
    return Coverage(
        realistic=_inside(tensors[1], tensors[0], radii[0]),
        n_generated=len(tensors[1]),
        covered=_inside(tensors[0], tensors[1], radii[1]),
        n_real=len(tensors[0]),
    )


def nearest_neighbours(
    queries: npt.ArrayLike, references: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return for every query the row of its nearest reference, and the Euclidean distance to it.

    Parameters
    ----------
    queries, references : arrays, (n, d) and (m, d)
        Features, at least one row each.

    Returns
    -------
    tuple of arrays
        Rows (n,) of `references` and distances (n,), not negative.
    """
    a, b = (torch.from_numpy(x) for x in _checked(queries, references, least=1))
    found = [torch.cdist(chunk, b).min(dim=1) for chunk in a.split(_CHUNK)]
    indices = torch.cat([nearest.indices for nearest in found]).numpy()  # (n,)
    return indices, torch.cat([nearest.values for nearest in found]).numpy()


_CHUNK = 1_000  # rows at a time: 1,000 x 10,000 distances are 80 MB


def _kth_distance(points: torch.Tensor, k: int) -> torch.Tensor:
    """Return each point's distance to its k-th nearest other point: (n, d) -> (n,)."""
    # Its smallest distance is to itself.
    parts = [torch.cdist(chunk, points).kthvalue(k + 1, dim=1).values for chunk in points.split(_CHUNK)]
    return torch.cat(parts)


def _inside(queries: torch.Tensor, centres: torch.Tensor, radii: torch.Tensor) -> int:
    """Count queries that lie in at least one ball."""
    return sum(
        int((torch.cdist(chunk, centres) <= radii).any(dim=1).sum()) for chunk in queries.split(_CHUNK)
    )


def _checked(first: npt.ArrayLike, second: npt.ArrayLike, least: int) -> tuple[np.ndarray, np.ndarray]:
    arrays = np.asarray(first, np.float64), np.asarray(second, np.float64)
    shapes = [array.shape for array in arrays]
    if any(array.ndim != 2 for array in arrays) or shapes[0][1] != shapes[1][1]:
        raise UserError(f"Features must be two tables (images, features) of equal width, not {shapes}.")
    if min(map(len, arrays)) < least:
        raise UserError(f"At least {least} images are needed in either set, not {[len(a) for a in arrays]}.")
    if not all(np.isfinite(array).all() for array in arrays):
        raise UserError("The features hold values that are not finite; check the network that gave them.")
    return arrays
