"""Leakage of the protected label through labels or a model's scores.

As in Wang et al., *Balanced Datasets Are Not Enough: Estimating and Mitigating Gender Bias in Deep Image
Representations* (ICCV 2019), in fractions of right guesses: 0.5 is chance, 1 gives everybody away. Protected
labels such as gender are annotators' impressions of how people look in a picture, not who they are.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.metrics.leakage.attackers import Attacker, Features, Logistic
from fairlab.metrics.leakage.balanced import (
    Pool,
    Sample,
    Strata,
    draw,
    label_features,
    read_pools,
    score_features,
)
from fairlab.metrics.leakage.corruption import corrupt
from fairlab.metrics.leakage.guesses import Leakage
from fairlab.metrics.tidy import COLUMNS

_Change = Callable[[Features, np.random.Generator], Features]


def dataset_leakage(
    labels: ArrayLike,
    protected: ArrayLike,
    *,
    attacker: str | Attacker = "logistic",
    rounds: int = 5,
    seed: int = 0,
    evaluation: Sample | None = None,
    valid: Sample | None = None,
) -> Leakage:
    """Return how well the protected label can be guessed from the labels alone, λ_D.

    Parameters
    ----------
    labels : array of shape (n, k) or (n,)
        k labels 0/1 of each image, or its class as an integer from 0.
    protected : array of shape (n,)
        0 or 1.
    attacker : "logistic", "mlp" or Attacker
        Logistic regression (seconds), or the paper's perceptron (minutes for each round).
    rounds : int
        How often to draw fresh balanced samples and train an attacker on them.
    seed : int
        Of samples and attackers. Equal seeds draw equal samples of equal protected labels.
    evaluation, valid : pair of (labels, protected), optional
        To count on, and to choose the best epoch on. Without `evaluation` each round's balanced sample is
        split 80/10/10 in train, valid and test; with it, a missing `valid` is a tenth of the training
        sample.

    Returns
    -------
    Leakage
        Shares of right guesses, 0.5 being chance, with `value`, `interval`, `p_value`, `std`, `rounds`, `n`
        and the `published` figure.

    Raises
    ------
    UserError
        If labels are not 0/1 or classes, lengths differ, or a group has fewer than 10 images.

    Notes
    -----
    Train, valid and test are each sampled down to as many images of one group as of the other, so guessing
    the commoner one gains nothing. Wang et al. (ICCV 2019), Section 3. A sample that is split is split at
    random, unless its labels are balanced over the groups by design; then label row by label row, see
    `balanced.Strata`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gender = rng.integers(0, 2, 1000)
    >>> tie = np.where(rng.random(1000) < 0.8, gender, 1 - gender)
    >>> dataset_leakage(np.stack([tie, rng.integers(0, 2, 1000)], axis=1), gender)
    Leakage(0.772 [0.719, 0.825], 5 rounds, 94 test images)
    """
    pools = read_pools(label_features, (labels, protected), evaluation, valid)
    return _attack(pools, attacker, rounds, seed, strata=_strata(pools))


def model_leakage(
    scores: ArrayLike,
    protected: ArrayLike,
    *,
    attacker: str | Attacker = "logistic",
    rounds: int = 5,
    seed: int = 0,
    evaluation: Sample | None = None,
    valid: Sample | None = None,
    labels: ArrayLike | None = None,
) -> Leakage:
    """Return how well the protected label can be guessed from a model's predictions, λ_M.

    Parameters
    ----------
    scores : array of shape (n, k)
        Scores before the last activation (logits), any finite numbers.
    protected, attacker, rounds, seed, evaluation, valid
        As `dataset_leakage`, errors too; `evaluation` and `valid` hold scores.
    labels : array of shape (n, k) or (n,), optional
        The true labels, by which a split is made as in `dataset_leakage`: `leakage_amplification` needs the
        same split.
    """
    pools = read_pools(score_features, (scores, protected), evaluation, valid)
    known = pools if labels is None else read_pools(label_features, (labels, protected))
    return _attack(pools, attacker, rounds, seed, strata=_strata(known))


def corrupted_dataset_leakage(
    labels: ArrayLike,
    protected: ArrayLike,
    performance: float | ArrayLike,
    *,
    metric: str = "F1",
    attacker: str | Attacker = "logistic",
    rounds: int = 5,
    seed: int = 0,
    evaluation: Sample | None = None,
    valid: Sample | None = None,
) -> Leakage:
    """Return the leakage of labels that are only as accurate as a model, λ_D(F).

    Parameters
    ----------
    labels, protected, attacker, rounds, seed, evaluation, valid
        As `dataset_leakage`.
    performance : float or array of shape (k,)
        F: the model's F1 or mean average precision, in [0, 1]; best its value for each label.
    metric : "F1" or "mAP"
        What `performance` is.

    Notes
    -----
    See `corruption.corrupt` for how labels become wrong; every round does so afresh, in
    train, valid and test, without a look at the protected label.
    """
    pools = read_pools(label_features, (labels, protected), evaluation, valid)
    return _attack(
        pools,
        attacker,
        rounds,
        seed,
        strata=_strata(pools),
        change=lambda features, rng: corrupt(features, performance, metric, rng),
    )


def leakage_amplification(model: Leakage, data: Leakage) -> Leakage:
    """Return by how much a model leaks more than equally accurate labels do, Δ = λ_M(F) - λ_D(F).

    Parameters
    ----------
    model, data : Leakage
        From `model_leakage` and `corrupted_dataset_leakage` with the same seed, rounds and images.

    Returns
    -------
    Leakage
        A difference, in [-1, 1], paired by round and by test image, which makes its interval narrow.

    Raises
    ------
    UserError
        If the two were not measured on the same images.
    """
    if model.rows.shape != data.rows.shape or (model.rows != data.rows).any():
        raise UserError(
            "The two leakages were measured on different images; give both calls the same seed, rounds and "
            "protected labels, in the same order."
        )
    correct = model.correct.astype(np.float64) - data.correct
    return Leakage(correct, model.rows, is_difference=True, note=model.note)


def leakage_table(leakages: Mapping[str, Leakage], *, model: str = "", attribute: str = "") -> pd.DataFrame:
    """Return leakages, or differences, as tidy rows of `COLUMNS`: value, low, high as fractions.

    `n` counts the test images of a round, half of which are of the protected group (`n_positive`).
    """
    rows = []
    for metric, leakage in leakages.items():
        count = len(leakage.rounds)
        notes = [f"{count} rounds, standard deviation {leakage.std:.4f}" if count > 1 else "one round"]
        notes += [] if leakage.is_difference else [f"published figure {leakage.published:.4f}"]
        note = "; ".join(filter(None, [*notes, leakage.note]))
        row = leakage.estimate._asdict() | {"metric": metric, "note": note}
        rows.append(row | {"n_positive": leakage.n // 2, "seeds": count})
    table = pd.DataFrame(rows).assign(model=model, attribute=attribute, group="all")
    return table[list(COLUMNS)]


def _strata(pools: list[Pool | None]) -> Strata:
    train = pools[0]
    assert train is not None
    return Strata.of(*train)


def _attack(
    pools: list[Pool | None],
    attacker: str | Attacker,
    rounds: int,
    seed: int,
    *,
    strata: Strata,
    change: _Change | None = None,
) -> Leakage:
    """Train and count in every round; samples depend on seed, protected labels and strata only."""
    if rounds < 1:
        raise UserError(f"rounds must be at least 1, not {rounds}.")
    train = pools[0]
    assert train is not None
    chosen = _chosen(attacker, train[0])
    correct, kept = [], []
    for number in range(rounds):
        rng, noise = (np.random.default_rng([seed, number, stream]) for stream in (0, 1))
        changed = [(change(pool[0], noise), pool[1]) if pool and change else pool for pool in pools]
        (x, a), (x_test, a_test), (x_valid, a_valid), rows = draw(changed, strata, rng)
        predict = chosen.fit(x, a, x_valid, a_valid, int(rng.integers(2**31)))
        correct.append(predict(x_test) == a_test)
        kept.append(rows)
    note = "" if pools[1] is not None else strata.note
    return Leakage(np.stack(correct), np.stack(kept), note=note)


def _chosen(attacker: str | Attacker, features: Features) -> Attacker:
    """Return the attacker of that name, with the published settings for features of this kind."""
    if not isinstance(attacker, str):
        return attacker
    if attacker == "logistic":
        return Logistic()
    if attacker == "mlp":
        from fairlab.metrics.leakage.perceptron import Perceptron  # torch, which no other metric needs

        return Perceptron(epochs=150, batch=64) if features.are_classes else Perceptron()
    raise UserError(
        f"There is no attacker '{attacker}'; choose logistic (seconds) or mlp (the published one)."
    )
