"""Clusters of images that are no independent observations, such as the images of one person."""

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.groups.cells import encode
from fairlab.metrics.validation import check_shape


def check_clusters(clusters: ArrayLike | None, n: int, *, stratified: bool = False) -> np.ndarray | None:
    """Return the cluster of each of n images as integers from 0, or raise a UserError; None stays None."""
    if clusters is None:
        return None
    if stratified:
        raise UserError("Clusters are drawn whole, so they cannot be stratified; choose one of the two.")
    codes, found = encode(check_shape(np.asarray(clusters), "clusters", n), "clusters")
    if len(found) < 2:
        raise UserError("All images belong to one cluster, so nothing is known of others; give more.")
    return codes.astype(np.int64)
