"""An attacker's guesses are those of the threshold that serves best on validation images."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from fairlab.studies.table.attack import guesses


@pytest.mark.parametrize("sign", [1, -1])
def test_guesses_are_as_good_as_the_best_threshold_and_direction(sign):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 300)
    scores = 1 / (1 + np.exp(-sign * a - rng.standard_normal(300)))
    best = max(balanced_accuracy_score(a, flip ^ (scores >= cut)) for cut in scores for flip in (False, True))
    assert balanced_accuracy_score(a, guesses(scores, a, scores)) == pytest.approx(best)


def test_scores_that_say_nothing_give_nothing_away():
    rng = np.random.default_rng(1)
    valid, test = rng.random((2, 40_000))
    a = rng.integers(0, 2, 40_000)
    other = rng.integers(0, 2, 40_000)
    assert balanced_accuracy_score(other, guesses(valid, a, test)) == pytest.approx(0.5, abs=0.01)
