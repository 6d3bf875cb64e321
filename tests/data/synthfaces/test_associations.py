"""The bias dial: any pair, any reachable phi, prevalences kept."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.associations import reachable_association
from fairlab.data.synthfaces.law import sample_factors
from fairlab.data.synthfaces.statistics import label_statistics

N = 40_000


def prevalence(name):
    return label_statistics().prevalence[ATTRIBUTES.index(name)]


def labels(associations, *names, seed=5):
    truth = sample_factors(N, seed=seed, associations=associations).truth
    return [truth[:, ATTRIBUTES.index(name)].astype(float) for name in names]


def standard_error(*names):
    # Of phi near independence; rare attributes have heavier tails, hence the generous factors below.
    return 1 / math.sqrt(N * min(min(prevalence(name), 1 - prevalence(name)) for name in names))


names = st.sampled_from(ATTRIBUTES)


@settings(max_examples=8, deadline=None)
@given(target=names, protected=names, position=st.sampled_from([0.0, 0.2, 0.5, 0.8, 1.0]))
@example(target="Smiling", protected="Male", position=0.5)
@example(target="Male", protected="Young", position=1.0)
@example(target="Big_Nose", protected="Eyeglasses", position=0.0)
def test_any_pair_reaches_any_phi_and_keeps_both_prevalences(target, protected, position):
    assume(target != protected)
    low, high = reachable_association(target, protected)
    phi = low + position * (high - low)
    t, a = labels({(target, protected): phi}, target, protected)
    assert abs(t.mean() - prevalence(target)) < 0.012
    assert abs(a.mean() - prevalence(protected)) < 0.012
    assert abs(np.corrcoef(t, a)[0, 1] - phi) < 0.005 + 4 * standard_error(target, protected)


@pytest.mark.parametrize("target", ["Smiling", "Blond_Hair", "Wearing_Earrings", "Big_Nose"])
def test_independent_of_male_means_equal_rates(target):
    t, male = labels({(target, "Male"): 0.0}, target, "Male")
    assert abs(t[male == 1].mean() - t[male == 0].mean()) < 0.015


def test_at_the_end_of_the_reach_the_protected_attribute_decides():
    _, high = reachable_association("Smiling", "Male")
    smiling, male = labels({("Smiling", "Male"): high}, "Smiling", "Male")
    assert smiling[male == 1].all()
    low, _ = reachable_association("Wearing_Hat", "Young")
    hat, young = labels({("Wearing_Hat", "Young"): low}, "Wearing_Hat", "Young")
    assert not hat[young == 1].any()


def test_several_pairs_at_once_and_in_any_order():
    pairs = {("Smiling", "Young"): 0.3, ("Young", "Male"): 0.0, ("Bangs", "Eyeglasses"): 0.2}
    backwards = dict(reversed(pairs.items()))
    assert np.array_equal(
        sample_factors(50, seed=1, associations=pairs).traits,
        sample_factors(50, seed=1, associations=backwards).traits,
    )
    for pair, phi in pairs.items():
        assert np.corrcoef(*labels(pairs, *pair))[0, 1] == pytest.approx(phi, abs=0.03)


def test_only_the_targets_trait_moves_and_keeps_its_order_within_groups():
    natural = sample_factors(2000, seed=3)
    dialled = sample_factors(2000, seed=3, associations={("Smiling", "Eyeglasses"): 0.2})
    k = ATTRIBUTES.index("Smiling")
    assert np.array_equal(np.delete(natural.traits, k, axis=1), np.delete(dialled.traits, k, axis=1))
    for group in (0, 1):
        rows = natural.truth[:, ATTRIBUTES.index("Eyeglasses")] == group
        moved = (dialled.traits - natural.traits)[rows, k]
        assert moved.max() - moved.min() < 1e-5


def test_celebas_own_association_changes_nothing():
    share = {0: 0.24209, 1: 0.02032}  # of Blond_Hair without and with Male, as published
    p, q = prevalence("Blond_Hair"), prevalence("Male")
    phi = (share[1] - share[0]) * math.sqrt(q * (1 - q) / (p * (1 - p)))
    dialled = sample_factors(500, seed=0, associations={("Blond_Hair", "Male"): phi})
    assert np.allclose(dialled.traits, sample_factors(500, seed=0).traits, atol=2e-3)


def test_reach_is_that_of_the_two_by_two_table():
    low, high = reachable_association("Smiling", "Male")
    p, q = prevalence("Smiling"), prevalence("Male")
    deviation = math.sqrt(p * (1 - p) * q * (1 - q))
    assert high == pytest.approx((min(p, q) - p * q) / deviation)
    assert low == pytest.approx((max(0.0, p + q - 1) - p * q) / deviation)


@pytest.mark.parametrize(
    ("associations", "sentence"),
    [
        ({("Smilling", "Male"): 0.1}, "did you mean 'Smiling'"),
        ({("Smiling", "Males"): 0.1}, "did you mean 'Male'"),
        ({("Male", "Male"): 0.1}, "both 'Male'"),
        ({("Blond_Hair", "Male"): 0.9}, r"between -0\.356 and 0\.493"),
        ({("Smiling", "Male"): math.nan}, "cannot be reached"),
        ({("Smiling", "Male"): 0.1, ("Smiling", "Young"): 0.1}, "Two associations move"),
        ({("Smiling", "Male"): 0.1, ("Male", "Smiling"): 0.2}, "Two associations move"),
        ({("Smiling", "Young"): 0.1, ("Young", "Smiling"): 0.1}, "in a circle"),
        ({"Smiling": 0.1}, "pair"),
    ],
)
def test_mistakes_are_one_sentence(associations, sentence):
    with pytest.raises(UserError, match=sentence):
        sample_factors(1, seed=0, associations=associations)
