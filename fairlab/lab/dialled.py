"""The faces of the bias dial: the same ones at every phi, but for the attribute that the dial moves."""

import math
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.associations import Shift, _conditional_shares, reachable_association
from fairlab.data.synthfaces.copula import natural_traits
from fairlab.data.synthfaces.factors import Factors
from fairlab.data.synthfaces.law import sample_factors
from fairlab.data.synthfaces.statistics import label_statistics
from fairlab.metrics.two_groups.association import phi as phi_of_counts

STREAM = "dial"  # these faces are in no training, validation or test split
_CALIBRATION_FACES = 2**18  # as many, and the same, as the label law calibrates on


class DialledFaces:
    """Faces of the label law whose association of two attributes can be set at once, again and again.

    Parameters
    ----------
    target, protected : str
        Two of CelebA's forty attributes.
    n, seed : int
        How many faces, and which.

    Attributes
    ----------
    low, high : float
        The lowest and highest phi that the attributes can have with their prevalences.
    own : float
        Their phi in CelebA: exact when one of them is Male, otherwise that of the label law, to about 0.002.
    natural : Factors
        The faces under CelebA's own associations.

    Raises
    ------
    UserError
        If a name is unknown, or both are the same.
    """

    def __init__(self, target: str, protected: str, n: int, seed: int) -> None:
        self.low, self.high = reachable_association(target, protected)
        # Male is never moved: phi is symmetric, and the label law turns such a pair round.
        self.moved, self.kept = (protected, target) if target == "Male" else (target, protected)
        self._n, self._seed = n, seed
        self.natural = sample_factors(n, seed=seed, stream=STREAM)
        self.own = min(max(_own_association(self.moved, self.kept), self.low), self.high)

    def at(self, phi: float) -> Factors:
        """Return the n faces at an association, from `low` to `high`: those of `sample_factors`.

        `sample_factors` calibrates on many faces anew for every phi; here they are drawn only once.
        """
        if phi == self.own:
            return self.natural
        if self.kept == "Male" or not self.low <= phi <= self.high:
            asked = {(self.moved, self.kept): phi}
            return sample_factors(self._n, seed=self._seed, associations=asked, stream=STREAM)
        t, a = ATTRIBUTES.index(self.moved), ATTRIBUTES.index(self.kept)
        share = _conditional_shares(t, a, phi)
        without, with_it = (
            -float(np.quantile(group, 1 - part))
            for group, part in zip(_calibration_groups(t, a), share, strict=True)
        )
        traits = natural_traits(self._n, seed=self._seed, stream=STREAM)
        Shift(t, a, share, (without, with_it)).apply(traits)
        return Factors(traits.astype(np.float32), self.natural.nuisance)


def _own_association(target: str, protected: str) -> float:
    t, a = ATTRIBUTES.index(target), ATTRIBUTES.index(protected)
    if protected == "Male":
        statistics = label_statistics()
        p, q = statistics.prevalence[[t, a]]
        without, with_it = ndtr(-statistics.thresholds[:, t])
        return float((with_it - without) * math.sqrt(q * (1 - q) / (p * (1 - p))))
    counts = [((group > 0) == bool(y)).sum() for y in (0, 1) for group in _calibration_groups(t, a)]
    return float(phi_of_counts(np.array(counts)))


@lru_cache(maxsize=8)
def _calibration_groups(target: int, protected: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the target's natural trait in the groups without and with the protected attribute."""
    traits = natural_traits(_CALIBRATION_FACES, seed=0, stream="calibration")
    present = traits[:, protected] > 0
    return traits[~present, target], traits[present, target]
