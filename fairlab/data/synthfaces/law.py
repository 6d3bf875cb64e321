"""The label law of SynthFaces: which faces exist, and which labels they get."""

import numpy as np

from fairlab.data.synthfaces.associations import Associations, dial_associations
from fairlab.data.synthfaces.copula import independent_traits, natural_traits
from fairlab.data.synthfaces.factors import NUISANCE, Factors
from fairlab.data.synthfaces.noise import observed_labels
from fairlab.data.synthfaces.streams import uniforms

__all__ = ["observed_labels", "sample_factors", "sample_independent_factors"]


def sample_factors(
    n: int, *, seed: int, associations: Associations | None = None, stream: str = "train"
) -> Factors:
    """Draw `n` faces from the label law.

    Row i depends only on (`seed`, `stream`, i) and `associations`: the first 1,000 of 2,000 faces are the
    1,000 faces one gets when asking for 1,000.

    Parameters
    ----------
    n : int
        Number of faces.
    seed : int
        Non-negative; another seed gives other faces.
    associations : dict of (target, protected) to float, optional
        Phi correlations to set instead of CelebA's own; see `fairlab.data.synthfaces.associations`.
    stream : str
        Name of an independent stream of faces, such as "train", "valid" or "test".

    Returns
    -------
    Factors
        Traits (n, 40) in standard deviations from the threshold, > 0 where the attribute is present, and
        nuisance (n, K), independent uniforms in [0, 1).

    Raises
    ------
    UserError
        If `associations` names an unknown attribute or asks for what cannot be reached.
    """
    traits = dial_associations(natural_traits(n, seed=seed, stream=stream), associations)
    return _with_nuisance(traits, seed, stream)


def sample_independent_factors(n: int, *, seed: int, stream: str) -> Factors:
    """Draw `n` faces whose forty attributes are independent and none of them rare: to train an oracle on.

    Parameters and result as for `sample_factors`.
    """
    return _with_nuisance(independent_traits(n, seed=seed, stream=stream), seed, stream)


def _with_nuisance(traits: np.ndarray, seed: int, stream: str) -> Factors:
    columns = [uniforms(len(traits), seed, f"{stream}/nuisance/{name}") for name in NUISANCE]
    nuisance = np.stack(columns, axis=1).astype(np.float32)  # (n, K)
    # The largest doubles below 1 round up to 1 in single precision.
    nuisance = np.minimum(nuisance, np.nextafter(np.float32(1), np.float32(0)))
    return Factors(traits=traits.astype(np.float32), nuisance=nuisance)
