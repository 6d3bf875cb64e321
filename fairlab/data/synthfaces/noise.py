"""Labels as annotators would give them: the truth, with CelebA's kind of inconsistency.

Two things happen to a face's label. The annotator's impression of a trait differs from its strength by a
Gaussian jitter, so that borderline faces flip most. And now and then the answer has nothing to do with the
face: a lapse of attention. Both act on the latent value ``x = trait + threshold``, standard normal within a
gender, and leave it standard normal, so that how often each label occurs in each gender stays as it was.
"""

import numpy as np
from scipy.special import ndtri

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.associations import Associations, find_shifts
from fairlab.data.synthfaces.factors import Factors
from fairlab.data.synthfaces.statistics import MALE, label_statistics

#: Jitter, in standard deviations of the trait, of the labels on which CelebA's annotators disagree.
JITTER: dict[str, float] = {
    "Big_Lips": 0.6,
    "Big_Nose": 0.5,
    "Oval_Face": 0.7,
    "Pale_Skin": 0.25,
    "Straight_Hair": 0.6,
    "Wavy_Hair": 0.5,
    "Attractive": 0.4,
}
#: The same for every other attribute but Male, whose label is the truth.
OTHER_JITTER = 0.1
#: Share of labels, other than Male's, given without looking.
LAPSES = 0.01


def observed_labels(factors: Factors, *, seed: int, associations: Associations | None = None) -> np.ndarray:
    """Return the labels (n, 40), uint8, that go into the data set: the truth with label noise.

    The noise belongs to the face: it depends on `seed` and on the face's nuisance alone, so the same face
    has the same noise in any subset and order, and in its counterfactuals.

    Parameters
    ----------
    factors : Factors
        n faces.
    seed : int
        Another seed gives other noise.
    associations : dict of (target, protected) to float, optional
        Those with which `factors` were drawn.
    """
    impression, lapse = _face_uniforms(factors, seed)  # each (n, 40)
    jitter = np.array([JITTER.get(name, OTHER_JITTER) for name in ATTRIBUTES])
    agreement = 1 / np.sqrt(1 + jitter**2)  # correlation of the impression with the trait
    agreement = np.where(lapse < LAPSES, 0.0, agreement)
    thresholds = _thresholds(factors.truth, associations)
    latent = factors.traits + thresholds
    seen = agreement * latent + np.sqrt(1 - agreement**2) * ndtri(impression)
    labels = (seen > thresholds).astype(np.uint8)
    labels[:, MALE] = factors.truth[:, MALE]
    return labels


def _thresholds(truth: np.ndarray, associations: Associations | None) -> np.ndarray:
    """Return the threshold (n, 40) that each face's latent value was compared with."""
    thresholds = label_statistics().thresholds[truth[:, MALE]]  # (n, 40)
    for shift in find_shifts(associations):
        thresholds[:, shift.target] -= np.take(shift.amount, truth[:, shift.protected])
    return thresholds


def _face_uniforms(factors: Factors, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two (n, 40) arrays of uniforms in (0, 1), hashed from each face's nuisance and the seed."""
    state = np.full(len(factors), seed, dtype=np.uint64)
    for column in factors.nuisance.T:
        state = _mix(state ^ np.ascontiguousarray(column, dtype=np.float32).view(np.uint32))
    counters = np.arange(2 * len(ATTRIBUTES), dtype=np.uint64)
    bits = _mix(_mix(state[:, None] + counters * _GOLDEN))  # (n, 80)
    both = ((bits >> np.uint64(11)) + 0.5) * 2.0**-53
    return both[:, : len(ATTRIBUTES)], both[:, len(ATTRIBUTES) :]


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(state: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection that scatters neighbouring states."""
    state = state + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
