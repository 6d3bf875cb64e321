"""Directions: planted ones are found, and moving along them does what was planted."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.generators import ModuleGenerator
from fairlab.studies.ground_truth import directions, effects
from fairlab.studies.ground_truth.directions import (
    INVERTED,
    MARGINAL,
    PARTIAL,
    direction_cosines,
    inverted_pairs,
    unit_directions,
)
from fairlab.studies.ground_truth.effects import direction_effects

N, D = 2_000, 60


@pytest.fixture(scope="module")
def planted():
    """Gradients (D, 40) that are not at right angles, latents (N, D), and logits with some noise."""
    rng = np.random.default_rng(0)
    gradients = rng.normal(size=(D, 40)) + rng.normal(size=(D, 1))
    z = rng.normal(size=(N, D)).astype(np.float32)
    return gradients, z, z @ gradients + 3 + 0.1 * rng.normal(size=(N, 40))


def test_gradients_of_planted_logits_are_found(planted):
    gradients, z, logits = planted
    found = directions._gradients(z, logits)
    assert found.shape == (1 + directions.PARTS, D, 40)
    np.testing.assert_allclose(found[0], gradients, atol=0.02)
    kept = np.arange(N) % directions.PARTS != 3
    x = np.column_stack([z, np.ones(N)])[kept]
    np.testing.assert_allclose(found[4], np.linalg.lstsq(x, logits[kept], rcond=None)[0][:-1], atol=1e-6)


def test_latents_that_planes_were_fitted_to_are_left_out(planted, monkeypatch):
    _, z, logits = planted
    monkeypatch.setattr(directions, "oracle_logits", lambda run: logits)
    pairs = SimpleNamespace(all_z=z, method=SimpleNamespace(n_fit=200))
    unseen = directions.unseen_latents(SimpleNamespace(pairs=lambda seed: pairs))
    np.testing.assert_array_equal(unseen[0], z[200:])
    np.testing.assert_array_equal(unseen[1], logits[200:])


def test_the_partial_direction_raises_one_logit_and_no_other(planted):
    gradients, z, logits = planted
    found = directions.trait_directions(z, logits, "Male")
    partial, left_out = found[PARTIAL]
    wanted = np.eye(40)[ATTRIBUTES.index("Male")]
    np.testing.assert_allclose(partial @ gradients, wanted, atol=0.05)
    np.testing.assert_allclose(left_out @ gradients, np.tile(wanted, (directions.PARTS, 1)), atol=0.05)
    np.testing.assert_allclose(found[MARGINAL][0], gradients[:, ATTRIBUTES.index("Male")], atol=0.02)


def test_too_few_latents_for_a_regression_are_refused(planted):
    _, z, logits = planted
    with pytest.raises(UserError, match="60 dimensions needs 97 latents"):
        directions._gradients(z[:96], logits[:96])


class Picture(torch.nn.Module):
    """Draws one grey 16 x 16 picture, whose brightness is the first value of a latent."""

    def forward(self, z):
        return (z[:, :1, None, None] * 0.2).expand(-1, 3, 16, 16)


def test_both_searches_begin_at_the_same_point_and_end_nearer_their_pictures():
    generator = ModuleGenerator(Picture(), latent_dim=8, resolution=16)
    start = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    start *= np.sqrt(8) / np.linalg.norm(start, axis=1, keepdims=True)
    kept = start.copy()
    dark, bright = (np.full((4, 32, 32, 3), level, np.uint8) for level in (100, 156))
    low, high = (directions._descended(generator, start, images) for images in (dark, bright))
    np.testing.assert_array_equal(start, kept)
    assert (high[:, 0] > low[:, 0] + 0.3).all()
    np.testing.assert_allclose(np.linalg.norm(high, axis=1), np.sqrt(8), rtol=1e-5)
    same = [directions._descended(generator, start, bright) for _ in range(2)]
    np.testing.assert_array_equal(*same)


@pytest.fixture(scope="module")
def run(smoke_home):
    return Run.of_preset("smoke", smoke_home, device="cpu")


@pytest.fixture
def short_search(monkeypatch):
    monkeypatch.setattr(directions, "HALFWAY_STEPS", 2)
    monkeypatch.setattr(directions, "STEPS", 3)


@pytest.mark.slow
def test_a_run_s_planes_are_compared(run, short_search, monkeypatch):
    table = direction_cosines(run, n=4)
    counts = table.groupby(["plane", "direction"]).size().to_dict()
    traits = [(plane, direction) for plane in ("Eyeglasses", "Male") for direction in (MARGINAL, PARTIAL)]
    assert counts == dict.fromkeys([("Male", INVERTED), *traits], 3)
    absent, present = inverted_pairs(run, 4)
    change = (present - absent).mean(axis=0)
    cosine = change @ run.pairs(0).planes["protected"].normal / np.linalg.norm(change)
    rows = table[(table["direction"] == INVERTED) & (table["metric"] == "cosine")]
    assert rows["value"].item() == pytest.approx(cosine, abs=1e-5)
    assert rows["n"].item() == 4
    unseen = run.pairs(0).method.n_latents - run.pairs(0).method.n_fit  # planes were fitted to the others
    assert set(table[table["direction"] != INVERTED]["n"]) == {unseen}
    found = table[table["metric"] == "cosine"].set_index(["plane", "direction"])["value"]
    for role, attribute in run.names.items():
        for direction, (way, _) in directions.trait_directions(
            *directions.unseen_latents(run), attribute
        ).items():
            cosine = way @ run.pairs(0).planes[role].normal / np.linalg.norm(way)
            assert found[attribute, direction] == pytest.approx(cosine)
    monkeypatch.setattr(directions, "invert", None)
    monkeypatch.setattr(directions, "draw", None)
    assert direction_cosines(run, n=4).equals(table)


@pytest.mark.slow
def test_moving_along_directions_is_counted(run, short_search, monkeypatch):
    table = direction_effects(run, steps=(-3, 0, 3), n=40, n_inverted=4)
    _, ways = unit_directions(run, 0, 4)
    np.testing.assert_allclose([np.linalg.norm(way) for way in ways.values()], 1)
    assert ways["partner's way"] @ run.pairs(0).planes["target"].normal == pytest.approx(0, abs=1e-12)
    values = table.set_index(["direction", "metric", "step"])["value"]
    seen = read_labels(run, run.pairs(0).faces)["Male"].to_numpy()[run.pairs(0).rows][:40]
    for way in ways:
        assert values[way, "protected present", 0] == pytest.approx(seen.mean(), abs=1.01 / 40)  # one face
        assert values[way, "target kept", 0] == 1
        assert values[way, "other attributes changed", 0] < 0.1
    # Of the directions, this one is the oracle's own, and no training's.
    assert values[MARGINAL, "protected present", 3] > values[MARGINAL, "protected present", -3] + 0.5
    assert values[MARGINAL, "other attributes changed", 3] > 1
    fewer = direction_effects(run, steps=(-3, 0, 3), n=30, n_inverted=4)  # both are kept
    assert set(fewer["n"]) == {30}
    monkeypatch.setattr(effects, "generate", None)
    assert direction_effects(run, steps=(-3, 0, 3), n=40, n_inverted=4).equals(table)


@pytest.mark.slow
def test_one_face_has_no_mean_difference(run):
    with pytest.raises(UserError, match="at least 2 faces"):
        inverted_pairs(run, 1)
