"""Losses on made-up batches: focal, mixtures, and GroupDRO's weights of cells."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from fairlab.classifiers import cross_entropy
from fairlab.core.errors import UserError
from fairlab.methods import JTT, LISA, Focal, GroupDRO, MixUp, load_classifier
from fairlab.methods.base import train
from fairlab.methods.mixing import OTHER_GROUP, OTHER_LABEL, beta, mixed, partners_in

from .toys import RECIPE, logits_batch, made_batch, network_of, shapes

LOGITS = torch.tensor([[-200.0], [-3.0], [-0.5], [0.0], [1.0], [4.0], [200.0]], dtype=torch.float64)
LABELS = torch.tensor([[1.0], [0.0], [1.0], [0.0], [1.0], [1.0], [1.0]], dtype=torch.float64)


# Focal.


def test_focal_loss_with_gamma_0_is_the_cross_entropy():
    batch = logits_batch(LOGITS, LABELS)
    assert Focal(gamma=0.0).loss(nn.Identity(), batch).item() == pytest.approx(
        cross_entropy(nn.Identity(), batch).item(), rel=1e-12
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_focal_loss_is_that_of_the_paper_and_its_slope_finite(gamma):
    logits = LOGITS.clone().requires_grad_()
    loss = Focal(gamma=gamma).loss(nn.Identity(), logits_batch(logits, LABELS))
    right = np.exp(-np.logaddexp(0, -(2 * LABELS - 1).numpy() * LOGITS.numpy()))  # chance of the label
    log_right = -np.logaddexp(0, -(2 * LABELS - 1).numpy() * LOGITS.numpy())
    assert loss.item() == pytest.approx(np.mean(-((1 - right) ** gamma) * log_right), rel=1e-6)
    loss.backward()
    assert torch.isfinite(logits.grad).all()


def test_focal_loss_counts_images_by_weight():
    batch = logits_batch(LOGITS[1:3], LABELS[1:3])
    weighted = replace(batch, weights=torch.tensor([2.0, 0.0], dtype=torch.float64))
    first = replace(batch, images=LOGITS[1:2], labels=LABELS[1:2])
    assert Focal().loss(nn.Identity(), weighted).item() == pytest.approx(
        Focal().loss(nn.Identity(), first).item()
    )


# Mixtures.


def test_a_mixture_has_the_shares_of_images_and_labels():
    batch = made_batch(8)
    partners, share = torch.tensor([3, 2, 1, 0, 7, 6, 5, 4]), torch.linspace(0, 1, 8)
    found = mixed(batch, partners, share)
    for i, j in enumerate(partners.tolist()):
        weight = share[i]
        torch.testing.assert_close(found.images[i], weight * batch.images[i] + (1 - weight) * batch.images[j])
        torch.testing.assert_close(found.labels[i], weight * batch.labels[i] + (1 - weight) * batch.labels[j])
    assert torch.equal(mixed(batch, partners, torch.ones(1)).images, batch.images)


@pytest.mark.parametrize(("differs", "same_label"), [(OTHER_GROUP, True), (OTHER_LABEL, False)])
def test_partners_differ_in_what_is_asked_for_and_agree_in_the_rest(differs, same_label):
    batch = made_batch(40)
    partners = partners_in(batch, differs)
    y, a = batch.labels[:, 0], batch.groups
    assert torch.equal(y == y[partners], torch.full((40,), same_label))
    assert torch.equal(a == a[partners], torch.full((40,), not same_label))
    seen = {tuple(partners_in(made_batch(40, seed), differs).tolist()) for seed in range(9)}
    assert len(seen) == 9  # at random


def test_who_has_no_partner_stays_as_he_is():
    batch = replace(made_batch(8), groups=torch.zeros(8, dtype=torch.int64))
    assert partners_in(batch, OTHER_GROUP).tolist() == list(range(8))


def test_lisa_mixes_across_groups_with_chance_p_and_across_labels_else(monkeypatch):
    asked, batch = [], made_batch(24)
    monkeypatch.setattr(
        "fairlab.methods.lisa.partners_in",
        lambda batch, differs: asked.append(differs) or partners_in(batch, differs),
    )
    for p in (0.0, 1.0):
        LISA(p=p).loss(nn.Sequential(nn.Flatten(), nn.LazyLinear(1)), batch)
    assert asked == [OTHER_LABEL, OTHER_GROUP]
    for _ in range(400):
        LISA(p=0.3).loss(nn.Sequential(nn.Flatten(), nn.LazyLinear(1)), replace(batch, images=batch.labels))
    assert np.mean(np.array(asked[2:]) == OTHER_GROUP) == pytest.approx(0.3, abs=0.1)


def test_shares_are_beta_distributed_one_for_each_image_of_lisa_and_one_a_batch_of_mixup(monkeypatch):
    drawn = beta(2.0, 4_000, made_batch())
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.02)
    assert drawn.var().item() == pytest.approx(1 / (4 * (2 * 2 + 1)), abs=0.005)
    shares = []
    for name in ("lisa", "mixup"):
        monkeypatch.setattr(
            f"fairlab.methods.{name}.mixed", lambda batch, _, share: shares.append(share) or batch
        )
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(1))
    for method in (LISA(), MixUp(), MixUp(by_group=True)):
        method.loss(model, made_batch(24))
    assert [len(share) for share in shares] == [24, 1, 1]


def test_mixup_by_group_is_lisa_within_labels():
    """Labels of mixtures are then the labels themselves."""
    batch, seen = made_batch(24), []
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(1))
    model.register_forward_hook(lambda _m, images, _o: seen.append(images[0]))
    MixUp(by_group=True, alpha=5.0).loss(model, batch)
    matched = partners_in(replace(batch, generator=_after_beta(made_batch(24))), OTHER_GROUP)
    share = beta(5.0, 1, made_batch(24))
    torch.testing.assert_close(
        seen[0], share[:, None, None, None] * batch.images + (1 - share) * batch.images[matched]
    )


def _after_beta(batch):
    beta(5.0, 1, batch)
    return batch.generator


# GroupDRO.


def test_weights_of_cells_sum_to_1_and_grow_for_the_worst():
    method, batch = GroupDRO(step=0.5), made_batch(24)
    network = network_of(method)
    with torch.no_grad():
        network.last.bias.fill_(-2.0)  # so that positives are found badly
    before = network.q.clone()
    scalar, parts = method.loss(network, batch)
    # By hand, with the same batch statistics.
    losses = nn.functional.binary_cross_entropy_with_logits(
        network(batch.images), batch.labels, reduction="none"
    )[:, 0]
    by_cell = torch.stack(
        [losses[(2 * batch.labels[:, 0] + batch.groups) == cell].mean() for cell in range(4)]
    )
    q = before * torch.exp(0.5 * by_cell)
    q = q / q.sum()
    torch.testing.assert_close(network.q, q.detach())
    assert scalar.item() == pytest.approx((q * by_cell).sum().item(), rel=1e-5)
    assert network.q.sum().item() == pytest.approx(1)
    worst = by_cell.argmax()
    assert network.q[worst] == network.q.max() > before[worst]
    assert parts["worst_cell"].item() == pytest.approx(by_cell.max().item(), rel=1e-5)
    for _ in range(50):
        method.loss(network, batch)
    assert network.q.sum().item() == pytest.approx(1)


def test_a_cell_that_a_batch_lacks_keeps_its_share_among_those_without_loss():
    method, batch = GroupDRO(step=0.5), made_batch(24)
    network = network_of(method)
    method.loss(network, replace(batch, groups=torch.zeros(24, dtype=torch.int64)))
    assert network.q[1] == network.q[3] < network.q[[0, 2]].min()


def test_adjustment_adds_c_over_the_root_of_the_cells_size(tmp_path):
    work = shapes(tmp_path)
    network = network_of(GroupDRO(adjustment=3.0), work)
    y, a = work.labels("train")[:, 0], work.groups("train")
    sizes = np.array([np.sum((y == i) & (a == j)) for i in (0, 1) for j in (0, 1)])
    assert network.added.numpy() == pytest.approx(3 / np.sqrt(sizes), rel=1e-6)


# Just train twice.


def test_errors_of_the_first_training_are_drawn_copies_more_times(tmp_path):
    work, method = shapes(tmp_path), JTT(copies=7.0)
    data = method.training_set(work, 0)
    short = replace(RECIPE, epochs=1)
    first = load_classifier(train(_plain(), work, 0, recipe=short).folder, "cpu")
    wrong = (first.score(work.images("train"))[:, 0] > 0.5) != work.labels("train")[:, 0]
    assert 0 < wrong.sum() < len(wrong)
    assert np.array_equal(data.draws, np.where(wrong, 8.0, 1.0))
    assert data.images_before == len(data)
    assert data.groups is None


def _plain():
    from fairlab.methods import ERM

    return ERM()


@pytest.mark.parametrize(
    ("method", "settings", "sentence"),
    [
        (Focal, {"gamma": -1.0}, "gamma is -1.0"),
        (Focal, {"gamma": math.nan}, "gamma is nan"),
        (GroupDRO, {"step": 0.0}, "step is 0.0; give a finite number above 0"),
        (GroupDRO, {"step": math.inf}, "step is inf"),
        (GroupDRO, {"adjustment": -1.0}, "adjustment is -1.0"),
        (JTT, {"copies": 0.0}, "copies is 0.0"),
        (JTT, {"first_epochs": 0}, "first_epochs is 0"),
        (LISA, {"p": 1.5}, "p is 1.5"),
        (LISA, {"alpha": 0.0}, "alpha is 0.0"),
        (MixUp, {"alpha": math.nan}, "alpha is nan"),
    ],
)
def test_settings_out_of_range_are_one_sentence(method, settings, sentence):
    with pytest.raises(UserError, match=sentence):
        method(**settings)
