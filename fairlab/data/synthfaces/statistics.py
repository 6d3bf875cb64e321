"""CelebA's label statistics, as far as SynthFaces needs them.

Three small tables computed from CelebA's published training labels (162,770 rows): how often each attribute
occurs overall, among faces labelled Male and among the others, and the correlations of the latent Gaussian
traits that reproduce the labels' dependence in each of the two groups.
"""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pandas as pd
from scipy.special import ndtri

from fairlab.data.attributes import ATTRIBUTES

MALE = ATTRIBUTES.index("Male")
OTHERS = np.array([i for i in range(len(ATTRIBUTES)) if i != MALE])


@dataclass(frozen=True)
class LabelStatistics:
    """Everything the label law needs; group 0 is "not Male", group 1 "Male".

    Attributes
    ----------
    prevalence : (40,) float64
        Share of faces with each attribute.
    thresholds : (2, 40) float64
        A standard normal trait exceeds ``thresholds[g, k]`` with the prevalence of attribute k in group g.
        Male's own entry is 0: its trait carries its own sign.
    factors : (2, 39, 39) float64
        Lower Cholesky factors of the latent correlations of the attributes other than Male.
    """

    prevalence: np.ndarray
    thresholds: np.ndarray
    factors: np.ndarray


@cache
def label_statistics() -> LabelStatistics:
    """Read the three tables that ship with the package."""
    prevalence = _table("celeba_attribute_prevalence").loc[list(ATTRIBUTES)]
    in_group = prevalence[["given_not_male", "given_male"]].to_numpy().T.copy()  # (2, 40)
    in_group[:, MALE] = 0.5
    others = [ATTRIBUTES[i] for i in OTHERS]
    correlations = [
        _table(f"celeba_latent_correlation_{group}").loc[others, others].to_numpy()
        for group in ("not_male", "male")
    ]
    return LabelStatistics(
        prevalence=prevalence["prevalence"].to_numpy(),
        thresholds=-ndtri(in_group),
        factors=np.linalg.cholesky(np.stack(correlations)),  # raises unless positive definite
    )


def _table(name: str) -> pd.DataFrame:
    path = resources.files(__package__).joinpath("tables", f"{name}.csv")
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, index_col=0)
