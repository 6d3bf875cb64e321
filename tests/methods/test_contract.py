"""The contract: every method trains, goes on after an interruption to the bit, and loads again."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from fairlab.classifiers import TrainingSet, cross_entropy, fit
from fairlab.classifiers.networks import AttributeNetwork
from fairlab.classifiers.selection import Validation
from fairlab.classifiers.training import Training
from fairlab.core.errors import UserError
from fairlab.core.files import read_json, read_json_lines
from fairlab.methods import ERM, METHODS, Method, Oversampling, describe, load_classifier, method_from, train
from fairlab.methods.settings import settings_of

from .toys import RECIPE, WORKSPACES, shapes, small


class Killed(Exception):
    """Stands for whatever ends a process in the middle."""


def train_in_two_parts(method, work, monkeypatch):
    """Train, be killed after the first epoch of the method's own training, and go on."""
    keep = Training.keep

    def kept_once(training, record):
        keep(training, record)
        if training.identity["facts"]["method"] == describe(method):
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Training, "keep", kept_once)
        with pytest.raises(Killed):
            train(method, work, 0)
    return train(method, work, 0)


def weights(step):
    return (step.folder / "weights.safetensors").read_bytes()


def check(method, make_work, tmp_path, monkeypatch):
    """Train at once and in two parts; return the step, and what it loads as."""
    homes = tmp_path / "whole", tmp_path / "parts"
    for home in homes:
        home.mkdir()
    work = make_work(homes[0])
    whole = train(method, work, 0)
    parts = train_in_two_parts(method, make_work(homes[1]), monkeypatch)
    assert weights(whole) == weights(parts)
    loaded = load_classifier(parts.folder, "cpu")
    images, groups = work.images("test"), work.groups("test")
    scores = loaded.score(images, progress=False, groups=groups)
    assert np.array_equal(scores, load_classifier(whole.folder, "cpu").score(images, groups=groups))
    assert scores.shape == (len(images), 1)
    assert np.isfinite(scores).all()
    return whole, loaded


#: Drawn faces are another matter only for methods that add images.
ON_FACES = ("erm", *(name for name in METHODS if {"n_added", "n_pairs"} & settings_of(small(name)).keys()))


@pytest.mark.parametrize(
    ("name", "data"), [*((name, "shapes") for name in METHODS), *((name, "faces") for name in ON_FACES)]
)
def test_every_method_trains_resumes_and_loads(name, data, tmp_path, monkeypatch):
    method, make_work = small(name), WORKSPACES[data]
    if (name, data) == ("unbiased_faces", "shapes"):
        with pytest.raises(UserError, match="must be drawn"):
            method.check(make_work(tmp_path))
        return
    method.check(make_work(tmp_path))
    step, _ = check(method, make_work, tmp_path, monkeypatch)
    card = read_json(step.folder / "classifier.json")
    assert method_from(card["facts"]["method"]) == method
    work = make_work(tmp_path / "whole")
    trained, learnt = method.counts(work).trained, method.training_set(work, 0)
    assert len(learnt) == trained
    assert card["images_through_backbone"] == card["recipe"]["epochs"] * trained + learnt.images_before
    assert train(method, work, 0).folder == step.folder  # made once


class Reversed(torch.autograd.Function):
    """The identity, with its gradient turned round."""

    @staticmethod
    def forward(ctx, values, factor):
        ctx.factor = factor
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.factor * gradient, None


class WithAdversary(AttributeNetwork):
    """A network whose adversary guesses groups from a layer, and counts its steps in a buffer."""

    def __init__(self, plain: AttributeNetwork) -> None:
        nn.Module.__init__(self)
        self.precision, self.n_features = plain.precision, plain.n_features
        self.backbone, self.head = plain.backbone, plain.head
        self.adversary = nn.Linear(plain.n_features, 2)
        self.adversary.rate = 0.5
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))


@dataclass(frozen=True)
class Everything(Method):
    """Uses whatever the contract offers, at once."""

    name: ClassVar[str] = "everything"
    seen: ClassVar[list] = []

    layer: str = "layer4"

    def training_set(self, work, seed):
        real, n = work.real(), len(work.real())
        first = train(ERM(), work, seed)  # a first training, whose images count
        partners = np.where(np.arange(n) % 2, np.arange(n)[::-1], -1)
        before = read_json(first.folder / "classifier.json")["images_through_backbone"]
        return replace(
            real,
            labels=np.clip(real.labels, 0.05, 0.95),  # soft
            weights=1.0 + real.groups,
            draws=1.0 + np.arange(n),
            partners=partners,
            images_before=before,
        )

    def network(self, recipe, outputs, work, seed):
        network = WithAdversary(super().network(recipe, outputs, work, seed))
        if work is not None:  # a warm start
            warm = load_classifier(train(ERM(), work, seed).folder, "cpu")
            network.load_state_dict(warm.network.state_dict(), strict=False)
        network.backbone.conv1.requires_grad_(False)
        network.backbone.bn1.requires_grad_(False)
        return network

    def loss(self, network, batch):
        self.seen.append(batch)
        assert not network.backbone.bn1.training  # frozen parts stay in evaluation mode
        _, layer = network.at(batch.images, self.layer)
        hidden = Reversed.apply(layer.mean(dim=(2, 3)), batch.progress)
        adversary = nn.functional.cross_entropy(network.adversary(hidden), batch.groups)
        noise = torch.rand((), generator=batch.generator)
        network.steps += 1
        task = cross_entropy(network, batch)
        return task + 0.1 * adversary + 0.0 * noise, {"task": task, "adversary": adversary}

    def refit(self, classifier, work, seed):
        with torch.no_grad():
            classifier.network.head[-1].bias.add_(1.0)
        return classifier


@pytest.fixture
def everything(tmp_path, monkeypatch):
    Everything.seen.clear()
    return check(Everything(epochs=2), shapes, tmp_path, monkeypatch)


def test_a_method_may_use_all_that_the_contract_offers_and_still_resumes_to_the_bit(everything):
    step, loaded = everything
    assert isinstance(loaded.network, WithAdversary)
    best = read_json(step.folder / "classifier.json")["best_epoch"]["epoch"]
    assert loaded.network.steps == best * 4  # a buffer is kept with the weights
    curve = read_json_lines(step.folder / "curve.jsonl")
    for record in curve:
        assert record["train_loss"] == pytest.approx(
            record["loss_task"] + 0.1 * record["loss_adversary"], rel=1e-5
        )


def test_images_of_a_first_training_count(everything, tmp_path):
    step, _ = everything
    card = read_json(step.folder / "classifier.json")
    assert card["images_through_backbone"] == 2 * 128 + 2 * 128


def test_a_refit_changes_what_is_kept_and_not_what_was_trained(everything):
    step, loaded = everything
    before = load_classifier(step.folder / "before_refit", "cpu")
    change = loaded.network.head[-1].bias - before.network.head[-1].bias
    torch.testing.assert_close(change, torch.ones_like(change))


def test_frozen_parts_do_not_move(everything, tmp_path):
    _, loaded = everything
    warm = load_classifier(train(ERM(), shapes(tmp_path / "whole"), 0).folder, "cpu")
    moved, start = (network.backbone.state_dict() for network in (loaded.network, warm.network))
    for name in ("conv1.weight", "bn1.running_mean", "bn1.weight"):
        assert torch.equal(moved[name], start[name])


def test_batches_carry_what_was_asked_for(everything):
    batches = Everything.seen
    progress = [batch.progress for batch in batches[:8]]
    assert progress == sorted(progress)
    assert 0 < progress[0] < progress[-1] < 1
    batch = batches[0]
    assert batch.images.shape == batch.partners.shape == (32, 3, 16, 16)
    assert torch.equal(batch.images[~batch.has_partner], batch.partners[~batch.has_partner])
    assert not torch.equal(batch.images[batch.has_partner], batch.partners[batch.has_partner])
    assert set(batch.groups.tolist()) == {0, 1}
    assert set(np.round(batch.labels.unique().tolist(), 4)) == {0.05, 0.95}
    in_group = [set(batch.weights[batch.groups == group].tolist()) for group in (0, 1)]
    assert [len(weights) for weights in in_group] == [1, 1]
    assert max(in_group[1]) == pytest.approx(2 * max(in_group[0]))


def test_layers_and_names_that_do_not_exist_are_one_sentence(tmp_path):
    work = shapes(tmp_path)
    with pytest.raises(UserError, match="no layer 'layer5'"):
        train(Everything(layer="layer5"), work, 0)
    with pytest.raises(UserError, match="'nobody'"):
        method_from({"name": "nobody"})


def test_features_at_a_layer_are_the_mean_over_its_pixels(tmp_path):
    work = shapes(tmp_path)
    classifier = load_classifier(train(ERM(), work, 0).folder, "cpu")
    images = work.images("test")
    pooled = classifier.features(images, progress=False)
    for layer in ("layer4", "features"):
        assert np.allclose(classifier.features(images, progress=False, layer=layer), pooled, rtol=1e-5)
    assert classifier.features(images, progress=False, layer="layer2").shape == (64, 2 * RECIPE.width)
    scores = classifier.features(images, progress=False, layer="scores")
    assert np.array_equal(scores, classifier.logits(images, progress=False))
    with pytest.raises(UserError, match="no layer 'feature'; did you mean 'features'"):
        classifier.features(images, layer="feature")


def test_what_was_trained_before_is_still_found_and_the_same(tmp_path):
    """Fingerprints of earlier versions, and weights as the plain trainer makes them from arrays."""
    work = shapes(tmp_path)
    steps = {method.name: train(method, work, 0) for method in (ERM(), Oversampling())}
    assert [step.name for step in steps.values()] == [
        "erm-Square-seed0-49804b3e", "oversampling-Square-seed0-d813f103"
    ]  # fmt: skip
    y, a = work.labels("train"), work.groups("train")
    counts = np.array([[np.sum((y[:, 0] == i) & (a == j)) for j in (0, 1)] for i in (0, 1)])
    draws = (counts.sum(axis=1, keepdims=True) / (2 * counts))[y[:, 0], a] / len(y)
    valid = Validation(work.images("valid"), work.labels("valid"), work.groups("valid"))
    for name, chances, groups, rule in (
        ("erm", None, None, "average_precision"),
        ("oversampling", draws, a, "group_balanced_average_precision"),
    ):
        data = TrainingSet(work.images("train"), y, groups, draws=chances)
        recipe = replace(RECIPE, selection=rule)
        fit(tmp_path / name, data, valid, attributes=("Square",), recipe=recipe, seed=0, device="cpu")
        assert weights(steps[name]) == (tmp_path / name / "weights.safetensors").read_bytes()


def test_half_of_the_validation_images_choose_epochs_only_where_asked_for(tmp_path):
    work = shapes(tmp_path)
    halved = work.with_halved_validation()
    assert not work.halved
    step, other = train(ERM(), work, 0), train(ERM(), halved, 0)
    assert step.fingerprint != other.fingerprint
    figures = [read_json(s.folder / "classifier.json")["best_epoch"] for s in (step, other)]
    assert figures[0] != figures[1]  # on other images
    assert train(ERM(), work, 0).folder == step.folder
    assert halved.predicting("Loud").halved
