"""The bootstrap against a plain loop of scikit-learn and numpy calls on the same resamples."""

from __future__ import annotations

import time

import numpy as np
import pytest

from fairlab.metrics import bootstrap
from fairlab.metrics.intervals.bootstrap import resample_counts
from fairlab.metrics.spec import METRICS
from fairlab.metrics.two_groups.ranked_cells import RankedCells, resampled_metrics

from ..metrics.examples import plain_metrics, unsigned

N_IMAGES, N_RESAMPLES, N_PLAIN = 20_000, 1000, 30


def plain_loop(y, s, a, threshold, counts):
    """Return all metrics of each resample, written down without a thought for speed."""
    rows = []
    for repeats in counts:
        drawn = np.repeat(np.arange(len(y)), repeats)
        rows.append(plain_metrics(y[drawn], s[drawn], a[drawn], threshold))
    return np.array(rows)


def fastest(function, *arguments, rounds, **options):
    """Return the shortest of several processor times in seconds, and the result.

    Processor time, not time on the clock, so that other work on the machine does not decide the test.
    """
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        result = function(*arguments, **options)
        seconds.append(time.process_time() - start)
    return min(seconds), result


@pytest.mark.benchmark
@pytest.mark.slow
def test_bootstrap_is_twenty_times_faster_than_a_plain_loop():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, N_IMAGES)
    y = (rng.random(N_IMAGES) < 0.2 + 0.3 * a).astype(int)
    s = 1 / (1 + np.exp(-(rng.normal(size=N_IMAGES) + 2 * y - 1 + 0.5 * a)))

    seconds, table = fastest(bootstrap, y, s, a, threshold=0.5, n_resamples=N_RESAMPLES, rounds=3)
    counts = np.concatenate(list(resample_counts([np.arange(N_IMAGES)], N_PLAIN, np.random.default_rng(0))))
    plain_seconds, expected = fastest(plain_loop, y, s, a, 0.5, counts, rounds=2)
    plain_seconds *= N_RESAMPLES / N_PLAIN

    drawn = resampled_metrics([RankedCells.build(y, s, a, 0.5)], N_PLAIN, 0)[0]
    np.testing.assert_allclose(unsigned(drawn), expected, rtol=0, atol=1e-9)
    assert table["value"].notna().all()
    print(
        f"\n{N_RESAMPLES} resamples of {N_IMAGES:,} images, {', '.join(METRICS)}: {seconds:.2f} s; "
        f"plain loop {plain_seconds:.1f} s; {plain_seconds / seconds:.0f} times faster"
    )
    assert plain_seconds / seconds >= 20
