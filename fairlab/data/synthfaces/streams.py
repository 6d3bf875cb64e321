"""Uniform random numbers that depend on nothing but their name."""

import hashlib

import numpy as np


def uniforms(n: int, seed: int, name: str) -> np.ndarray:
    """Return `n` float64 in (0, 1) that depend only on `seed` and `name`: a prefix of any longer draw.

    Philox's raw bits are the same on every platform and in every version of numpy, which the
    distributions of `numpy.random.Generator` do not promise.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    bits = np.random.Philox(np.random.SeedSequence([seed, key])).random_raw(n)
    return ((bits >> np.uint64(11)) + 0.5) * 2.0**-53
