"""How often intervals of gaps, minima and their changes hold the truth."""

import itertools
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import norm

from fairlab.metrics.groups.compare_groups import group_differences
from fairlab.metrics.spec import CELL_METRICS, METRICS
from fairlab.metrics.two_groups.compare import compare
from fairlab.metrics.two_groups.compare_attributes import compare_attributes

#: Disparities whose coverage is counted, and the one behind a clear gap.
DISPARITIES = (
    "accuracy_difference", "worst_group_accuracy", "equal_opportunity_difference",
    "equalized_odds_difference", "demographic_parity_difference", "demographic_parity_ratio",
)  # fmt: skip
#: Number of groups, images of each, and how far apart the groups' rates are.
GRID = tuple(itertools.product((2, 4, 8), (100, 1000), (0.0, 0.05, 0.2)))


def sample(
    rng: np.random.Generator, k: int, n: int, gaps: tuple[float, float]
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return labels, two models' predictions and groups: n images in each of k groups.

    A model is right with probabilities that fall evenly by its gap from the first group to the last; the
    errors of the two models are correlated.
    """
    group = np.repeat(np.arange(k), n)
    y = rng.integers(0, 2, k * n)
    common = rng.standard_normal(k * n)
    predicted = {}
    for name, gap in zip("ab", gaps, strict=True):
        limit = norm.ppf(rates(k, gap))[group]
        right = np.sqrt(0.6) * common + np.sqrt(0.4) * rng.standard_normal(k * n) < limit
        predicted[name] = np.where(right, y, 1 - y)
    return y, predicted, group


def rates(k: int, gap: float) -> np.ndarray:
    """Return the true share right of each group, (k,)."""
    return 0.9 - gap * np.linspace(0, 1, k)


def truth(metric: str, k: int, gap: float) -> float:
    """Return the true disparity; labels are balanced, so the shares predicted positive are all a half."""
    if metric == "worst_group_accuracy":
        return float(rates(k, gap).min())
    return {"demographic_parity_difference": 0.0, "demographic_parity_ratio": 1.0}.get(metric, gap)


def coverage(k: int, n: int, gap: float, *, repetitions: int, n_resamples: int = 200) -> list[dict]:
    """Return the coverage of every disparity of one model, and of its change to a model without a gap."""
    rng = np.random.default_rng([k, n, int(100 * gap)])
    held: dict[tuple[str, str], list[bool]] = {}
    gone: dict[str, list[float]] = {}
    for repetition in range(repetitions):
        y, predicted, group = sample(rng, k, n, (gap, 0.0))
        found = group_differences(y, predicted, group, n_resamples=n_resamples, seed=repetition)
        found = found.set_index(["model", "metric"]).loc[lambda rows: rows["group"] == "all"]
        for metric in DISPARITIES:
            true = truth(metric, k, gap), truth(metric, k, 0.0)
            for model, wanted in (("a", true[0]), ("b - a", true[1] - true[0])):
                row = found.loc[(model, metric)]
                held.setdefault((model, metric), []).append(
                    bool(row["low"] - 1e-12 <= wanted <= row["high"] + 1e-12)
                )
            gone.setdefault(metric, []).append(found.loc[("a", metric), "p_value"] < 0.05)
    return [
        {
            "groups": k, "n": n, "gap": gap, "metric": metric,
            "coverage": np.mean(held["a", metric]), "coverage_of_change": np.mean(held["b - a", metric]),
            "p_below_5": np.mean(gone[metric]), "repetitions": repetitions,
        }
        for metric in DISPARITIES
    ]  # fmt: skip


def table(repetitions: int) -> pd.DataFrame:
    """Return a row for each cell of the grid and disparity."""
    return pd.DataFrame([row for cell in GRID for row in coverage(*cell, repetitions=repetitions)])


def two_groups(repetitions: int, n_resamples: int = 300) -> pd.DataFrame:
    """Return the coverage of what two groups are compared by, and of its change to a model without a gap."""
    rows = []
    for n, gap, seeds in itertools.product((500, 2000), (0.0, 0.1), (1, 3)):
        rng = np.random.default_rng([n, int(100 * gap), seeds])
        true, even = _true_values(gap), _true_values(0.0)
        found = pd.concat([_compared(rng, n, gap, seeds, n_resamples) for _ in range(repetitions)])
        for metric, wanted in true.items():
            one, change = found.loc[("gap", metric)], found.loc[("even - gap", metric)]
            rows.append({
                "n": n, "gap": gap, "seeds": seeds, "metric": metric, "coverage": _held(one, wanted),
                "coverage_of_change": _held(change, even[metric] - wanted), "truth": wanted,
                "mean_value": one["value"].mean(), "mean_corrected": one["corrected"].mean(),
                "repetitions": repetitions,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _compared(rng: np.random.Generator, n: int, gap: float, seeds: int, n_resamples: int) -> pd.DataFrame:
    """Return the rows of `compare_attributes` of two made-up models, by model and metric."""
    y, scores, a = scored(rng, n, gap, seeds)
    found = compare_attributes(
        pd.DataFrame({"y": y}),
        {model: {"y": values} for model, values in scores.items()},
        a,
        thresholds={model: {"y": 0.5} for model in scores},
        baseline="gap",
        n_resamples=n_resamples,
        seed=int(rng.integers(2**31)),
        specs=(*METRICS.values(), *CELL_METRICS.values()),
    )
    whole = found["group"] == "all"
    metric = found["metric"].where(whole, found["metric"] + " of " + found["group"])
    return found.set_index(["model", metric])


def _held(rows: pd.DataFrame, value: float) -> float:
    return float(((rows["low"] - 1e-12 <= value) & (value <= rows["high"] + 1e-12)).mean())


def scored(
    rng: np.random.Generator, n: int, gap: float, seeds: int
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return labels, scores (seeds, n) of a model that is higher by `gap` in the second group and of one that
    is not, and groups; most of their noise is common.
    """
    y, a = rng.integers(0, 2, (2, n))
    common, own = rng.standard_normal(n), rng.standard_normal((2, seeds, n))
    noise = 0.2 * (np.sqrt(0.8) * common + np.sqrt(0.2) * own)
    scores = np.clip(0.3 + 0.3 * y + np.array([gap, 0.0])[:, None, None] * a + noise, 0, 1)
    return y, {"gap": scores[0], "even": scores[1]}, a


def _true_values(gap: float) -> dict[str, float]:
    found = [float(norm.cdf((0.1 + gap * a) / 0.2)) for a in (0, 1)]
    passed = [float(norm.cdf((0.2 - gap * a) / 0.2)) for a in (0, 1)]
    by_group = {f"TPR of group {a}": found[a] for a in (0, 1)}
    return {"DEO": found[1] - found[0], "KL": _true_kl(gap), "WGA": min(*found, *passed)} | by_group


@cache
def _true_kl(gap: float) -> float:
    y, scores, a = scored(np.random.default_rng(0), 4_000_000, gap, 1)
    found = compare(
        y, {"model": scores["gap"]}, a, thresholds={"model": 0.5}, baseline="model", n_resamples=1
    )
    return float(found.set_index("metric").loc["KL", "value"])
