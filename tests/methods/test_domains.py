"""Domain-discriminative and domain-independent training: answers from cells and from heads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairlab.core.errors import UserError
from fairlab.methods import DomainDiscriminative, DomainIndependent, LatentPairs
from fairlab.methods.domain_discriminative import log_shift
from fairlab.methods.group_heads import RULES, own_head

from .toys import made_batch, network_of, shapes

IMAGES = torch.zeros(5, 3, 16, 16)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return shapes(tmp_path_factory.mktemp("shapes"))


def with_outputs(network, values):
    """Let a network answer with given logits, whatever the images."""
    network.head.forward = lambda _features: values
    return network.eval()


CELLS = network_of(DomainDiscriminative())


@given(
    counts=st.lists(st.integers(1, 1_000), min_size=4, max_size=4),
    likelihood=st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
)
def test_the_prior_shift_of_bayes_joint_is_bayes_answer_for_balanced_groups(counts, likelihood):
    """P(y, a | x) ∝ P(x | y, a) n_ya; with groups balanced, P'(y | x) ∝ n_y Σ_a P(x | y, a) / 2."""
    counts, likelihood = np.array(counts, float), np.array(likelihood)
    joint = likelihood * counts / np.sum(likelihood * counts)
    network = with_outputs(CELLS, torch.from_numpy(np.log(joint)).float().expand(5, 4))
    network.shift.copy_(log_shift(counts))
    of_label = counts.reshape(2, 2).sum(axis=1) * likelihood.reshape(2, 2).mean(axis=1)
    expected = np.log(of_label[1]) - np.log(of_label[0])
    assert network(IMAGES).numpy() == pytest.approx(np.full((5, 1), expected), abs=1e-3)


def test_without_the_shift_cells_are_just_summed(work):
    network = network_of(DomainDiscriminative(prior_shift=False), work)
    logits = torch.randn(5, 4)
    with_outputs(network, logits)
    p = torch.softmax(logits, dim=1)
    torch.testing.assert_close(torch.sigmoid(network(IMAGES))[:, 0], p[:, 2] + p[:, 3])


def test_the_shift_is_that_of_the_training_images(work):
    y, a = work.labels("train")[:, 0], work.groups("train")
    shift = network_of(DomainDiscriminative(), work).shift
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        n = np.sum((y == i) & (a == j))
        assert shift[i, j].item() == pytest.approx(np.log(np.sum(y == i) / (2 * n)), rel=1e-5)


def test_its_loss_is_the_cross_entropy_of_the_four_cells():
    method, batch = DomainDiscriminative(), made_batch(24)
    network = network_of(method)
    log_p = torch.log_softmax(network.cells(batch.images), dim=1)
    cells = 2 * batch.labels[:, 0].long() + batch.groups
    expected = -torch.stack([row[cell] for row, cell in zip(log_p, cells, strict=True)]).mean()
    torch.testing.assert_close(method.loss(network, batch), expected)


def test_only_the_own_head_learns_from_an_image():
    method, batch = DomainIndependent(), made_batch(24)
    network = network_of(method)
    of_group = batch.groups == 1
    one = batch.__class__(
        batch.images[of_group], batch.labels[of_group], batch.groups[of_group], None, None, None, 0.5,
        batch.generator,
    )  # fmt: skip
    method.loss(network, one).backward()
    assert network.last.weight.grad[0].abs().max() == 0
    assert network.last.weight.grad[1].abs().max() > 0
    z = network.by_group(one.images)[:, 0, 1]
    expected = torch.nn.functional.binary_cross_entropy_with_logits(z, one.labels[:, 0])
    torch.testing.assert_close(method.loss(network, one), expected)


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_those_of_the_paper(rule):
    logits = torch.tensor([[-3.0, 1.0], [0.5, 0.25], [4.0, -4.5], [0.0, 0.0], [60.0, -50.0]])
    network = with_outputs(network_of(DomainIndependent(rule=rule)), logits)
    p = torch.sigmoid(logits.double())  # (n, 2): by head
    expected = {
        "sum_out": torch.logit(p).mean(dim=1),
        "sum_probabilities": torch.log(p.sum(dim=1)) - torch.log((1 - p).sum(dim=1)),
        "max": torch.log(p.amax(dim=1)) - torch.log((1 - p).amax(dim=1)),
    }[rule]
    found = network(IMAGES)[:, 0].double()
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found[:4], expected[:4], rtol=1e-5, atol=1e-6)


def test_the_known_group_s_head_answers_and_is_asked_for():
    method = DomainIndependent(rule="known_a")
    assert (method.protected_at, DomainIndependent().protected_at) == ("test", "training")
    logits = torch.arange(10.0).view(5, 2)
    network = with_outputs(network_of(method), logits)
    groups = torch.tensor([0, 1, 1, 0, 1])
    assert network(IMAGES, groups)[:, 0].tolist() == [0, 3, 5, 6, 9]
    assert torch.equal(own_head(logits.view(5, 1, 2), groups), network(IMAGES, groups))
    with pytest.raises(UserError, match="give the groups of the images"):
        network(IMAGES)
    with pytest.raises(
        UserError, match="needs the protected label of every image, which generated ones lack"
    ):
        LatentPairs(annotator=method)
    with pytest.raises(UserError, match="rule is 'known_b'; did you mean 'known_a'"):
        DomainIndependent(rule="known_b")
