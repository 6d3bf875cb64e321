"""Adversaries: where they look, which way gradients go, and that a warm start is one."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fairlab.classifiers import cross_entropy_of
from fairlab.classifiers.networks import LAYERS
from fairlab.core.errors import UserError
from fairlab.core.files import read_json, read_json_lines
from fairlab.methods import (
    ERM,
    GradientProjection,
    GradientReversal,
    UniformConfusion,
    load_classifier,
    train,
)
from fairlab.methods.adversaries import ADVERSARIES, reverse
from fairlab.methods.gradient_projection import projected

from .toys import RECIPE, TINY, made_batch, network_of, shapes

METHODS = (UniformConfusion, GradientReversal, GradientProjection)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


def of_network(network):
    """Return the parameters of all but the adversary."""
    theirs = set(network.adversary.parameters())
    return [p for p in network.parameters() if p not in theirs]


@pytest.mark.parametrize("kind", ADVERSARIES)
@pytest.mark.parametrize("layer", LAYERS)
def test_every_adversary_sees_every_layer_it_can(layer, kind):
    if kind == "copied" and not layer.startswith("layer"):
        with pytest.raises(UserError, match=f"No convolutions follow '{layer}'"):
            GradientReversal(layer=layer, adversary=kind)
        return
    method, batch = GradientReversal(layer=layer, adversary=kind), made_batch(8)
    network = network_of(method)
    _, stage = network.at(batch.images, layer)
    assert network.guess(stage).shape == (8, 2)
    if kind == "map":
        widths = [m.out_features for m in network.adversary if isinstance(m, nn.Linear)]
        assert widths == [300, 300, 300, 2]
        assert network.adversary[1].in_features == stage[0].numel()
    scalar, parts = method.loss(network, batch)
    assert scalar.item() == pytest.approx(parts["task"].item() + parts["adversary"].item(), rel=1e-5)


def test_an_adversary_leaves_the_initial_weights_of_the_network_as_they_are():
    plain = ERM().network(TINY, ("Square",), None, 3).state_dict()
    for method in METHODS:
        state = network_of(method(), seed=3).state_dict()
        assert all(torch.equal(value, state[name]) for name, value in plain.items())


# Reversal.


@pytest.mark.parametrize("layer", ["layer3", "features"])
def test_the_reversed_gradient_is_that_of_the_adversarys_loss_by_finite_differences(layer, monkeypatch):
    """In the direction of a random change of the first convolution, in double precision throughout."""
    method = GradientReversal(layer=layer, adversary="linear", strength=2.5, ramp=False)
    batch = made_batch(16)
    batch = replace(batch, images=batch.images.double(), labels=batch.labels.double())
    network = network_of(method).double().eval()
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    first = network.backbone.conv1.weight
    direction = torch.randn(first.shape, generator=torch.Generator().manual_seed(1)).double()

    def losses(step):
        with torch.no_grad():
            first.add_(step * direction)
            logits, stage = network.at(batch.images, layer)
            found = cross_entropy_of(logits, batch), method.guess_loss(network, stage, batch)
            first.sub_(step * direction)
        return np.array([value.item() for value in found])

    scalar, _ = method.loss(network, batch)
    scalar.backward()
    found = (first.grad * direction).sum().item()
    task, adversary = (losses(1e-6) - losses(-1e-6)) / 2e-6
    assert abs(adversary) > 1e-4
    assert found == pytest.approx(task - 2.5 * adversary, rel=1e-4)


def test_the_adversary_itself_learns_by_its_own_gradient():
    method, batch = GradientReversal(adversary="linear", strength=5.0, ramp=False), made_batch(16)
    network = network_of(method)
    scalar, _ = method.loss(network, batch)
    scalar.backward()
    last = network.adversary[-1].weight
    found = last.grad.clone()
    _, stage = network.at(batch.images, method.layer)
    (expected,) = torch.autograd.grad(method.guess_loss(network, stage, batch), last)
    torch.testing.assert_close(found, expected)


def test_reversal_is_the_identity_forward_and_its_strength_ramps_up():
    values = torch.randn(4, requires_grad=True)
    turned = reverse(values, 3.0)
    assert torch.equal(turned, values)
    turned.sum().backward()
    assert values.grad.tolist() == [-3.0] * 4
    method = GradientReversal(strength=2.0)
    assert method.strength_at(0) == 0
    assert method.strength_at(0.1) == pytest.approx(
        2 * math.tanh(0.5)
    )  # the same function, written otherwise
    assert method.strength_at(1) == pytest.approx(2, abs=1e-3)
    assert GradientReversal(strength=2.0, ramp=False).strength_at(0) == 2


# Confusion.


def test_confusion_moves_features_and_not_the_adversary_and_its_own_loss_the_other_way_round():
    method, batch = UniformConfusion(strength=2.0), made_batch(16)
    network = network_of(method)
    scalar, parts = method.loss(network, batch)
    scalar.backward()
    found = [p.grad.clone() for p in network.adversary.parameters()]
    _, stage = network.at(batch.images, "features")
    own = method.guess_loss(network, stage.detach(), batch)
    expected = torch.autograd.grad(own, list(network.adversary.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    log_p = torch.log_softmax(network.guess(stage), dim=1)
    confusion = -(0.5 * log_p[:, 0] + 0.5 * log_p[:, 1]).mean()  # H(uniform, adversary)
    assert parts["confusion"].item() == pytest.approx(confusion.item(), rel=1e-5)
    assert confusion.item() >= math.log(2)
    first = network.backbone.conv1.weight
    logits, stage = network.at(batch.images, "features")
    frozen = network.guess(stage, network.fixed_adversary())
    total = cross_entropy_of(logits, batch) - 2.0 * torch.log_softmax(frozen, dim=1).mean()
    torch.testing.assert_close(first.grad, torch.autograd.grad(total, first)[0])


# Projection.


def test_at_strength_0_the_projected_gradient_is_orthogonal_to_the_adversarys():
    generator = torch.Generator().manual_seed(0)
    g_t = [torch.randn(size, generator=generator, dtype=torch.float64) for size in ((3, 2), (5,), (4,))]
    g_a = [torch.randn(size, generator=generator, dtype=torch.float64) for size in ((3, 2), (5,))]
    found = projected(g_t, [*g_a, None], 0.0)
    for step, harmful in zip(found, g_a, strict=False):
        assert abs((step * harmful).sum().item()) < 1e-12
    assert torch.equal(found[2], g_t[2])  # the adversary does not see it
    by_hand = projected(g_t, [*g_a, None], 0.7)
    for step, t, harmful in zip(by_hand, g_t, g_a, strict=False):
        v, w = t.flatten().numpy(), harmful.flatten().numpy()
        expected = v - 0.7 * w - v.dot(w) / w.dot(w) * w
        assert step.flatten().numpy() == pytest.approx(expected)
    assert torch.equal(projected([g_t[0]], [torch.zeros(3, 2).double()], 1.0)[0], g_t[0])


@pytest.mark.parametrize("layer", ["scores", "layer3"])
def test_the_loss_has_the_projected_gradient_and_the_value_of_both(layer):
    method, batch = GradientProjection(strength=0.5, layer=layer), made_batch(16)
    network = network_of(method)
    scalar, parts = method.loss(network, batch)
    scalar.backward()
    assert scalar.item() == pytest.approx((parts["task"] + parts["adversary"]).item(), rel=1e-5)
    logits, stage = network.at(batch.images, layer)
    learnt = of_network(network)
    g_t = torch.autograd.grad(cross_entropy_of(logits, batch), learnt, retain_graph=True)
    harmful = method.guess_loss(network, stage, batch)
    g_a = torch.autograd.grad(harmful, learnt, retain_graph=True, allow_unused=True)
    assert (g_a[-1] is None) == (layer == "layer3")  # the head lies behind
    for parameter, expected in zip(learnt, projected(g_t, g_a, 0.5), strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-6)
    own = torch.autograd.grad(harmful, list(network.adversary.parameters()))
    for parameter, expected in zip(network.adversary.parameters(), own, strict=True):
        torch.testing.assert_close(parameter.grad, expected, rtol=1e-4, atol=1e-6)


# What they share.


@pytest.mark.parametrize("method", METHODS)
def test_both_groups_weigh_the_same_for_the_adversary(method, work):
    a = work.groups("train")
    weights = network_of(method(warm=0.0), work).group_weights.numpy()
    assert weights * np.bincount(a) == pytest.approx([len(a) / 2] * 2)
    assert network_of(method(warm=0.0, oversampling=True), work).group_weights.tolist() == [1, 1]
    draws = method(warm=0.0, oversampling=True).training_set(work, 0).draws
    assert draws[a == 1].sum() == pytest.approx(0.5)
    assert method(warm=0.0).training_set(work, 0).draws is None


def test_a_warm_network_starts_from_plain_training_and_counts_its_images(work):
    method = GradientReversal(warm=0.5, warm_rate=0.25)
    data = method.training_set(work, 1)
    assert data.images_before == len(data)  # one epoch of two
    assert (
        method.training_set(work, 0).inputs
        == data.inputs
        != GradientReversal(warm=1.0).training_set(work, 0).inputs
    )
    network = method.network(RECIPE, ("Square",), work, work.seed + 1)
    short = train(ERM(), work, 1, recipe=replace(RECIPE, epochs=1))
    plain = load_classifier(short.folder, "cpu").network.state_dict()
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in plain.items())
    assert (network.rate, network.adversary.rate) == (0.25, 1.0)
    step = train(method, work, 1)
    assert read_json(step.folder / "classifier.json")["images_through_backbone"] == 2 * len(data)


def test_the_adversarys_loss_is_in_the_curve(work):
    step = train(UniformConfusion(warm=0.0), work, 0)
    for record in read_json_lines(step.folder / "curve.jsonl"):
        parts = [record[f"loss_{name}"] for name in ("task", "confusion", "adversary")]
        assert record["train_loss"] == pytest.approx(sum(parts), rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"layer": "layr3"}, "no layer 'layr3'; did you mean 'layer3'"),
        ({"layer": "logits"}, "no layer 'logits'; choose one of layer1, .*scores"),
        ({"adversary": "liner"}, "adversary is 'liner'; did you mean 'linear'"),
        ({"strength": 0.0}, "strength is 0.0; give a finite number above 0"),
        ({"strength": math.nan}, "strength is nan"),
        ({"warm": 1.5}, r"warm is 1.5; give a share of the epochs in \[0, 1\]"),
        ({"warm_rate": -1.0}, "warm_rate is -1.0"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(method, settings, sentence):
    with pytest.raises(UserError, match=sentence):
        method(**settings)
