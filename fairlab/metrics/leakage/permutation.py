"""Permutation test of leakage, with all attackers fitted at once."""

import numpy as np
import scipy
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.leakage.attackers import Features
from fairlab.metrics.leakage.balanced import balanced_sample, label_features, read_pools

#: Newton steps with the bound on the curvature; near chance, where it matters, they converge at once.
STEPS = 20
HELD_OUT = 0.3
_BATCH = 64  # permutations at once, to bound memory


def leakage_p_value(
    labels: ArrayLike, protected: ArrayLike, *, permutations: int = 199, seed: int = 0, penalty: float = 1.0
) -> float:
    """Return the p-value of "the labels tell nothing of the protected label".

    Parameters
    ----------
    labels : array of shape (n, k) or (n,)
        As in `dataset_leakage`.
    protected : array of shape (n,)
        0 or 1.
    permutations : int
        Number of random permutations; the smallest possible value is ``1 / (1 + permutations)``.
    seed : int
        Of sample and permutations.
    penalty : float
        L2 penalty of the logistic attacker, but for its intercept.

    Returns
    -------
    float
        ``(1 + c) / (1 + permutations)``, where with c permutations the attacker is right as often as with the
        true labels, or more. One-sided: to be right less often than by guessing tells nothing.

    Raises
    ------
    UserError
        As `dataset_leakage`, and if `permutations` is below 1.

    Notes
    -----
    One balanced sample; a logistic attacker learns on 70% of it and is counted on 30%. Permuting the
    protected labels within the sample breaks any tie to the labels. True and permuted labels go through the
    same fit, so the test holds exactly in samples of any size. The fits are vectorised: Newton's method with
    Böhning's bound ``XᵀX/4`` on the curvature, which is factorised once for all of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gender = rng.integers(0, 2, 500)
    >>> leakage_p_value(gender[:, None], gender)  # the label is the gender
    0.005
    """
    if permutations < 1:
        raise UserError(f"permutations must be at least 1, not {permutations}.")
    (pool,) = read_pools(label_features, (labels, protected))
    assert pool is not None
    features, a = pool
    rng = np.random.default_rng(seed)
    rows = balanced_sample(a, rng)
    sample, a = features[rows], a[rows]
    permuted = [rng.permutation(a) for _ in range(permutations)]
    truths = np.stack([a, *permuted], axis=1)  # (m, 1 + permutations)
    leaks = _leakages(sample, truths, penalty)
    return float((1 + (leaks[1:] >= leaks[0] - 1e-12).sum()) / (1 + permutations))


def _leakages(features: Features, truths: np.ndarray, penalty: float) -> np.ndarray:
    """Return the share that an attacker guesses right for every column of truths (m, p): (p,)."""
    cut = round(len(features) * (1 - HELD_OUT))
    rows = np.arange(len(features))
    x, x_test = (_with_intercept(features[part]) for part in (rows[:cut], rows[cut:]))
    leaks = []
    for start in range(0, truths.shape[1], _BATCH):
        some = truths[:, start : start + _BATCH]
        weights = _fit(x, some[:cut].astype(np.float64), penalty)  # (k + 1, p)
        leaks.append(((x_test @ weights > 0) == some[cut:]).mean(axis=0))
    return np.concatenate(leaks)


def _with_intercept(features: Features) -> scipy.sparse.csr_matrix:
    """Return (m, k + 1) with a last column of ones; labels are mostly 0, so sparse."""
    return scipy.sparse.hstack(
        [scipy.sparse.csr_matrix(features.matrix()), np.ones((len(features), 1))], format="csr"
    )


def _fit(x: scipy.sparse.csr_matrix, a: np.ndarray, penalty: float) -> np.ndarray:
    """Return the weights of a logistic regression of every column of a (m, p) on x (m, k): (k, p)."""
    ridge = np.full(x.shape[1], penalty)
    ridge[-1] = 1e-6  # an intercept is not shrunk
    factor = scipy.linalg.cho_factor((x.T @ x).toarray() / 4 + np.diag(ridge))
    weights = np.zeros((x.shape[1], a.shape[1]))
    for _ in range(STEPS):
        gradient = x.T @ (scipy.special.expit(x @ weights) - a) + ridge[:, None] * weights
        weights -= scipy.linalg.cho_solve(factor, gradient)
    return weights
