"""Domain-dependent partners of as many latents as the paper's, against an SVD for each; their memory."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from fairlab.latent import Hyperplane, domain_partner

N_LATENTS, DIMENSION, N_PLAIN = 160_000, 512, 200


def latents_and_planes(seed=0):
    """Return latents (n, d), a protected plane and two target planes."""
    rng = np.random.default_rng(seed)
    protected, *targets = (Hyperplane(rng.normal(size=DIMENSION), rng.normal()) for _ in range(3))
    return rng.normal(size=(N_LATENTS, DIMENSION)), protected, tuple(targets)


def one_by_one(z, protected, targets):
    """Solve the two constraints of each latent with a full SVD of its own, as the published code does."""
    partners = []
    for row in z:
        group = int(row @ protected.normal + protected.intercept > 0)
        own, other = targets[group], targets[1 - group]
        normals = np.stack([protected.normal, other.normal])  # (2, d)
        left, singular, right = np.linalg.svd(normals)  # (2, 2), (2,), (d, d)
        wanted = [-(row @ protected.normal + protected.intercept), row @ own.normal + own.intercept]
        step = wanted - (normals @ row + [protected.intercept, other.intercept])
        partners.append(row + ((left.T @ step) / singular) @ right[:2])
    return np.array(partners)


def fastest(function, *arguments, rounds, **options):
    """Return the shortest of several processor times in seconds, and the result."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        result = function(*arguments, **options)
        seconds.append(time.process_time() - start)
    return min(seconds), result


@pytest.mark.benchmark
@pytest.mark.slow
def test_all_partners_at_once_are_fifty_times_faster_than_one_by_one():
    z, protected, targets = latents_and_planes()
    seconds, partners = fastest(domain_partner, z, protected=protected, targets=targets, rounds=3)
    plain_seconds, expected = fastest(one_by_one, z[:N_PLAIN], protected, targets, rounds=3)
    np.testing.assert_allclose(partners[:N_PLAIN], expected, rtol=0, atol=1e-9)
    ratio = (plain_seconds / N_PLAIN) / (seconds / N_LATENTS)
    print(
        f"\ndomain-dependent partners of {N_LATENTS:,} latents of {DIMENSION} dimensions: {seconds:.2f} s of "
        f"processor time; one SVD each: {plain_seconds / N_PLAIN * N_LATENTS:.0f} s; {ratio:.0f} times faster"
    )
    assert ratio >= 50


@pytest.mark.benchmark
@pytest.mark.slow
def test_the_partners_are_nearly_all_the_memory_it_takes():
    z, protected, targets = latents_and_planes()
    tracemalloc.start()
    partners = domain_partner(z, protected=protected, targets=targets)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    most, partners_alone = peak / 2**20, partners.nbytes / 2**20
    print(f"\nbesides the latents at most {most:.0f} MiB; the partners alone are {partners_alone:.0f} MiB")
    assert partners.nbytes <= peak < 1.1 * partners.nbytes
