"""The audit of millions of rows against a loop of pandas and scikit-learn; its time and memory."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

N_ROWS, N_RESAMPLES, N_PLAIN = 3_000_000, 1000, 1

PROGRAM = """
import resource, sys, time
from fairlab.studies.audit.execute import audit
start = time.process_time()
audit(sys.argv[1], label="y", score="s", protected=["g", "r"], threshold=0.5, out=sys.argv[2])
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def plain_loop(table, n_resamples, seed=0):
    """Resample rows and measure each group, written down without a thought for speed."""
    for i in range(n_resamples):
        drawn = table.sample(frac=1, replace=True, random_state=seed + i)
        right = drawn.assign(flagged=drawn["s"] > 0.5, right=(drawn["s"] > 0.5) == drawn["y"])
        for columns in (["g"], ["r"], ["g", "r"]):
            right.groupby(columns)[["right", "flagged"]].mean()
            right.groupby([*columns, "y"])["flagged"].mean()
        average_precision_score(drawn["y"], drawn["s"])


@pytest.mark.benchmark
@pytest.mark.slow
def test_millions_of_rows_in_seconds_and_little_memory(tmp_path):
    rng = np.random.default_rng(0)
    g, r = rng.choice(["F", "M"], N_ROWS), rng.choice(list("abcde"), N_ROWS)
    y = (rng.random(N_ROWS) < 0.2 + 0.3 * (g == "M")).astype(np.int8)
    s = 1 / (1 + np.exp(-(rng.normal(size=N_ROWS) + 2 * y - 1 + 0.5 * (g == "M"))))
    table = pd.DataFrame({"y": y, "s": s, "g": pd.Categorical(g), "r": pd.Categorical(r)})
    table.to_parquet(tmp_path / "model.parquet")
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "model.parquet"), str(tmp_path / "result")]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    seconds, gigabytes = map(float, finished.stdout.split())

    start = time.process_time()
    plain_loop(table, N_PLAIN)
    plain_seconds = (time.process_time() - start) * N_RESAMPLES / N_PLAIN
    print(
        f"\naudit of {N_ROWS:,} rows, {N_RESAMPLES} resamples: {seconds:.1f} s of processor time, "
        f"{gigabytes:.2f} GiB; plain loop {plain_seconds:.0f} s; {plain_seconds / seconds:.0f} times faster"
    )
    assert plain_seconds / seconds >= 20
    assert gigabytes < 2.5
