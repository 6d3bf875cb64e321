"""Hyperplanes fitted to labels of which few, or many, are positive: do they still find the plane?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fairlab.latent import Hyperplane, skewed_rows
from fairlab.metrics.intervals.bootstrap_means import bootstrap_means

#: The SVM's C in `skew_study`. With 1, as for a run's planes, the solver does not settle where there are
#: about as many latents as dimensions, which small subsets come close to.
REGULARISATION = 0.01


def skew_study(
    z: np.ndarray, labels: Mapping[str, np.ndarray], shares: Sequence[float], *, n_fit: int, draws: int = 3
) -> pd.DataFrame:
    """Fit hyperplanes to labels of which few, or many, are positive: do they still find the plane?

    Parameters
    ----------
    z : (n, d) array
        Latents: the first `n_fit` to draw from, the others held out.
    labels : dict of str to (n,) array
        0 or 1, for each attribute.
    shares : sequence of float
        Shares of positives, 0..1 exclusive.
    n_fit : int
    draws : int
        How many subsets are drawn, and fitted, for each share.

    Returns
    -------
    DataFrame
        A row for each attribute and share: attribute, share, draws, n_fitted (as many latents as the share
        allows); accuracy, low, high and n_held_out (mean over draws, 95% interval over held-out latents and
        draws); guess (accuracy of always guessing the commoner label); cosine, cosine_low, cosine_high with
        the full fit, to all of the first `n_fit` latents (mean and range over draws).

    Raises
    ------
    UserError
        If a share cannot be drawn from the labels.

    Notes
    -----
    Subsets are those of ``fairlab run --positive-share``; all fits, the full one too, are regularised more
    strongly: see `REGULARISATION`.
    Source: Ramaswamy et al., CVPR 2021, the study of under-represented fits.
    """
    table = []
    for name, y in labels.items():
        whole = Hyperplane.fit(z[:n_fit], y[:n_fit], regularisation=REGULARISATION)
        held_out = y[n_fit:]
        for share in shares:
            subsets = [skewed_rows(y[:n_fit], share, seed=seed) for seed in range(draws)]
            found = [Hyperplane.fit(z[rows], y[rows], regularisation=REGULARISATION) for rows in subsets]
            right = np.stack([(plane.distance(z[n_fit:]) > 0) == (held_out == 1) for plane in found])
            accuracy = bootstrap_means(right[:, :, None]).estimate(0, 0, is_share=True)
            cosines = [plane.cosine(whole) for plane in found]
            row = {
                "attribute": name,
                "share": share,
                "draws": draws,
                "n_fitted": len(subsets[0]),
                "accuracy": accuracy.value,
                "low": accuracy.low,
                "high": accuracy.high,
                "n_held_out": len(held_out),
                "guess": max(held_out.mean(), 1 - held_out.mean()),
                "cosine": float(np.mean(cosines)),
                "cosine_low": min(cosines),
                "cosine_high": max(cosines),
            }
            table.append(row)
    return pd.DataFrame(table)
