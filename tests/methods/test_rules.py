"""Rules on scores, and two heads: against all thresholds there are."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.methods import TwoHeads, load_classifier, train
from fairlab.methods.rules import RULES, Calibrated, ClassScaling, Decision, GroupThresholds, scale_classes
from fairlab.methods.rules.class_scaling import FACTORS
from fairlab.methods.rules.two_thresholds import AIMS, N_SLOPES, two_thresholds
from fairlab.metrics import calibrate

from .toys import made_batch, network_of, shapes


def made(n, seed, *, levels=None):
    """Return labels, scores and groups in which all cells occur and scores are unfair; perhaps tied."""
    random = np.random.default_rng(seed)
    a, y = np.arange(n) % 2, np.arange(n) // 2 % 2
    s = 1 / (1 + np.exp(-(random.normal(size=n) + y + 0.8 * a - 1)))
    return y, s if levels is None else np.round(s * levels) / levels, a


def tpr(decided, y, a):
    return np.array([decided[(y == 1) & (a == group)].mean() for group in (0, 1)])


# Rules on scores.


@given(n=st.integers(8, 60), seed=st.integers(0, 10**6), levels=st.sampled_from([None, 5]))
def test_group_thresholds_are_as_near_the_calibrated_rate_as_any(n, seed, levels):
    y, s, a = made(n, seed, levels=levels)
    decision = GroupThresholds().fit(y, s, a)
    rate = np.mean(s[y == 1] > calibrate(y, s).threshold)
    for group in (0, 1):
        positives = s[(y == 1) & (a == group)]
        everywhere = [-1.0, *s, *(s + 1e-9)]  # every threshold decides like one of these
        nearest = min(abs(np.mean(positives > threshold) - rate) for threshold in everywhere)
        found = np.mean(positives > decision.thresholds[group])
        assert abs(found - rate) == pytest.approx(nearest, abs=1e-12)
    assert np.array_equal(decision.decide(s, a), s > np.array(decision.thresholds)[a])


def test_with_many_images_all_groups_have_that_rate_on_new_images_too():
    y, s, a = made(20_000, 0)
    decision = GroupThresholds().fit(y, s, a)
    new_y, new_s, new_a = made(20_000, 1)
    assert np.ptp(tpr(decision.decide(new_s, new_a), new_y, new_a)) < 0.03
    assert np.ptp(tpr(Calibrated().fit(y, s, a).decide(new_s), new_y, new_a)) > 0.2


def test_the_calibrated_rule_predicts_as_many_positive_as_are():
    y, s, a = made(400, 0)
    assert Calibrated().fit(y, s, a).decide(s).sum() == y.sum()


@given(n=st.integers(8, 60), seed=st.integers(0, 10**6))
def test_scaling_of_two_classes_is_the_best_threshold_for_the_worst_class(n, seed):
    y, s, _ = made(n, seed)
    decision = ClassScaling().fit(y, s, y)

    def worst(threshold):
        return min(np.mean(s[y == 1] > threshold), np.mean(s[y == 0] <= threshold))

    assert len(decision.thresholds) == 1
    reachable = [f / (f + 1) for f in FACTORS] + [1 / (1 + f) for f in FACTORS]
    assert worst(decision.thresholds[0]) >= max(map(worst, reachable)) - 1e-12


def test_scaling_of_three_classes_is_a_coordinate_wise_best():
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 300)
    logits = random.normal(size=(300, 3)) + 1.5 * np.eye(3)[y] + [1.5, 0, -1]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    def worst(s):
        chosen = (p * s).argmax(axis=1)
        return min(np.mean(chosen[y == c] == c) for c in range(3))

    s = scale_classes(p, y)
    assert worst(s) > worst(np.ones(3)) + 0.2
    for c, factor in itertools.product(range(3), FACTORS):
        assert worst(np.where(np.arange(3) == c, factor, s)) <= worst(s) + 1e-12


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_fitted_and_decides_about_other_images(name):
    rule, (y, s, a) = RULES[name], made(60, 0)
    decision = rule.fit(y, s, a)
    assert rule.name == name
    assert rule.protected_at == ("test" if len(decision.thresholds) > 1 else "-")
    margins = decision.margins([0.1, 0.9, 0.5], [0, 1, 1])
    assert margins.shape == (3,)
    assert np.array_equal(decision.decide([0.1, 0.9, 0.5], [0, 1, 1]), margins > 0)


def test_what_a_rule_cannot_do_is_one_sentence():
    decision = Decision((0.2, 0.6))
    with pytest.raises(UserError, match="give the groups of the images"):
        decision.decide([0.5])
    with pytest.raises(UserError, match="Groups go from 0 to 1"):
        decision.decide([0.5], [2])
    with pytest.raises(UserError, match="No validation image of group 1 is positive"):
        GroupThresholds().fit([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], [0, 0, 1, 0])


# Two heads.


def heads(n, seed):
    y, s, a = made(n, seed)
    f = np.log(s / (1 - s))
    g = np.clip(a + 0.3 * np.random.default_rng(seed + 1).normal(size=n), -0.2, 1.2)
    return f, g, y, a


@settings(max_examples=30)
@given(n=st.integers(8, 24), seed=st.integers(0, 10**6), aim=st.sampled_from(sorted(AIMS)))
def test_two_thresholds_are_the_best_of_all_by_brute_force(n, seed, aim):
    """Every difference of the search, with every cut between two images."""
    f, g, y, a = heads(n, seed)
    least, bound = 0.7, 0.1
    s = 1 / (1 + np.exp(-f))
    plain = np.mean(s[y == 1] > calibrate(y, s).threshold)

    def value(decided):
        rates = tpr(decided, y, a)
        aimed = {
            "equal_tpr": -np.abs(rates - plain).max(),
            "least_tpr": min(rates.min(), least),
            "accuracy": -max(np.ptp(rates) - bound, 0),
        }[aim]
        return round(float(aimed), 9), round(float(np.mean(decided == y)), 9)

    t_0, t_1 = two_thresholds(f, g, y, a, aim, at_least=least, bound=bound)
    found = value(f - t_0 - (t_1 - t_0) * g > 0)
    best = (-np.inf, 0.0)
    for slope in np.linspace(-1, 1, N_SLOPES)[::16] * np.ptp(f) / np.ptp(g):
        margins = f - slope * g
        for cut in [margins.min() - 1, *margins]:
            best = max(best, value(margins > cut))
    assert found >= best


def test_they_do_what_is_aimed_at_without_the_group_at_test():
    f, g, y, a = heads(6_000, 0)
    new_f, new_g, new_y, new_a = heads(20_000, 2)

    def decided(aim, **options):
        t_0, t_1 = two_thresholds(f, g, y, a, aim, **{"at_least": 0.8, "bound": 0.02} | options)
        return new_f - t_0 - (t_1 - t_0) * new_g > 0

    plain = new_f > 0.5
    assert np.ptp(tpr(plain, new_y, new_a)) > 0.2
    assert np.ptp(tpr(decided("equal_tpr"), new_y, new_a)) < 0.04
    assert tpr(decided("least_tpr", at_least=0.9), new_y, new_a).min() == pytest.approx(0.9, abs=0.02)
    bounded = decided("accuracy", bound=0.05)
    assert np.ptp(tpr(bounded, new_y, new_a)) < 0.08
    assert np.mean(bounded == new_y) >= np.mean(decided("equal_tpr") == new_y) - 0.01


def test_the_network_decides_by_both_heads_and_both_thresholds(tmp_path):
    work = shapes(tmp_path)
    classifier = load_classifier(train(TwoHeads(), work, 0).folder, "cpu")
    network, images = classifier.network, work.images("test")
    features = torch.from_numpy(classifier.features(images, progress=False))
    with torch.inference_mode():
        f, g = (values.numpy()[:, 0] for values in network.both(features))
    t_0, t_1 = network.thresholds.tolist()
    assert t_0 != 0
    found = classifier.logits(images, progress=False)[:, 0]
    assert found == pytest.approx(f - t_0 - (t_1 - t_0) * g, abs=1e-5)


def test_the_second_head_learns_the_group_by_squared_error():
    method, batch = TwoHeads(weight=0.5), made_batch(24)
    network = network_of(method)
    scalar, parts = method.loss(network, batch)
    f, g = network.both(network.features(batch.images))
    task = torch.nn.functional.binary_cross_entropy_with_logits(f, batch.labels)
    group = ((g[:, 0] - batch.groups) ** 2).mean()
    torch.testing.assert_close(scalar, task + 0.5 * group)
    torch.testing.assert_close(parts["group"], group)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"aim": "equal_trp"}, "aim is 'equal_trp'; did you mean 'equal_tpr'"),
        ({"at_least": 1.2}, r"at_least is 1.2; give a share in \[0, 1\]"),
        ({"bound": -0.1}, "bound is -0.1"),
        ({"weight": 0.0}, "weight is 0.0"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        TwoHeads(**changes)
