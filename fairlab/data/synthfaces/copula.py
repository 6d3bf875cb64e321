"""CelebA's label structure as continuous traits.

Male is drawn first. Given Male, the other 39 attributes follow a Gaussian copula with CelebA's latent
correlations: ``x ~ N(0, R_group)``, and attribute k is present where ``x_k`` exceeds the threshold that gives
CelebA's prevalence in that group. The trait ``x_k - threshold`` is kept, because its strength, not only its
sign, drives the drawing: there are broad smiles, faint smiles and faces of which one cannot tell.
"""

import numpy as np
from scipy.special import ndtri

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.statistics import MALE, OTHERS, label_statistics
from fairlab.data.synthfaces.streams import uniforms

# Strength of Male's trait: never nearer to 0 than the floor, so that few faces are borderline.
MALE_FLOOR = 0.5
MALE_SPREAD = 0.75
# Attributes that hide others: no hair colour on a bald head, nothing clear in a blurred picture.
HIDING = ("Bald", "Blurry", "Wearing_Hat")


def natural_traits(n: int, *, seed: int, stream: str) -> np.ndarray:
    """Return traits (n, 40), float64, with CelebA's own associations; > 0 where the attribute is present."""
    statistics = label_statistics()
    columns = [uniforms(n, seed, f"{stream}/trait/{name}") for name in ATTRIBUTES]
    normals = ndtri(np.stack(columns, axis=1))  # (n, 40)
    traits = np.empty((n, len(ATTRIBUTES)))
    traits[:, MALE] = _male_trait(columns[MALE], statistics.prevalence[MALE])
    male = traits[:, MALE] > 0
    for group in (0, 1):
        rows = np.flatnonzero(male == bool(group))
        # einsum, not BLAS: the sum over one row must not depend on how many rows there are.
        latent = np.einsum("nk,jk->nj", normals[np.ix_(rows, OTHERS)], statistics.factors[group])
        traits[np.ix_(rows, OTHERS)] = latent - statistics.thresholds[group, OTHERS]
    return traits


def independent_traits(n: int, *, seed: int, stream: str) -> np.ndarray:
    """Return traits (n, 40), float64, of attributes that have nothing to do with one another.

    Half of the faces are Male. The other attributes occur half as far, in probits, from evenly as they do
    in CelebA (5% becomes 20%), so that none is too rare to learn from; those that hide others stay as rare.
    """
    columns = [uniforms(n, seed, f"{stream}/trait/{name}") for name in ATTRIBUTES]
    pull = np.where(np.isin(ATTRIBUTES, HIDING), 1.0, 0.5)
    traits = ndtri(np.stack(columns, axis=1)) + pull * ndtri(label_statistics().prevalence)  # (n, 40)
    traits[:, MALE] = _male_trait(columns[MALE], 0.5)
    return traits


def _male_trait(uniform: np.ndarray, prevalence: float) -> np.ndarray:
    """Return a signed strength: positive with probability `prevalence`, half-normal beyond a floor."""
    male = uniform > 1 - prevalence
    within = np.where(male, (uniform - (1 - prevalence)) / prevalence, 1 - uniform / (1 - prevalence))
    strength = MALE_FLOOR + MALE_SPREAD * ndtri((1 + within) / 2)
    return np.where(male, strength, -strength)
