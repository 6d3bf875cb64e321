"""The plan of a run: costs counted and measured, steps in proportion to them, and the disk checked."""

from collections import namedtuple

import pytest

from fairlab.core.errors import UserError
from fairlab.experiments.run import Run
from fairlab.studies.run import plan as planning
from fairlab.studies.run.plan import Costs, check_disk, duration, measure, plan, plan_text

IMAGES = {"train": 3_000, "valid": 1_000, "test": 1_500}
COSTS = Costs(train=0.01, score=0.001, draw=0.002)


def run_of(home, **changes):
    return Run.of_preset("smoke", home, **changes)


def seconds(run):
    return {step.name: step.seconds for step in plan(run, IMAGES, COSTS)}


def test_an_image_costs_more_to_train_on_than_to_score(tmp_path):
    costs = measure(run_of(tmp_path))
    assert min(costs) > 0
    assert 2 < costs.train / costs.score < 4  # a backward pass costs about two forward passes


def test_steps_take_what_their_images_cost(tmp_path):
    run = run_of(tmp_path)
    e, planned = run.experiment, seconds(run)
    baseline = e.recipe.epochs * (3_000 * COSTS.train + 1_000 * COSTS.score)
    assert planned["train the baseline"] == pytest.approx(baseline)
    assert planned["train annotators"] == pytest.approx(baseline)  # of the protected attribute
    assert planned["generate faces"] == pytest.approx(e.method.n_latents * COSTS.draw)
    assert planned["generate partners"] == pytest.approx(e.method.n_pairs * COSTS.draw)
    added = e.method.epochs * ((3_000 + 2 * e.method.n_pairs) * COSTS.train + 1_000 * COSTS.score)
    assert planned["train with the method"] == pytest.approx(added)
    assert "train a generator" not in planned
    assert "invert real images" not in planned


def test_what_is_asked_for_in_addition_is_planned(tmp_path):
    more = seconds(run_of(tmp_path, seeds=3, train_gan=True, n_inverted=30))
    once = seconds(run_of(tmp_path))
    assert more["train the baseline"] == pytest.approx(3 * once["train the baseline"])
    assert more["train annotators"] == once["train annotators"]
    assert {"train a generator", "invert real images"} == more.keys() - once.keys()


@pytest.mark.parametrize("method", ["erm", "oversampling", "added_oversampling", "unbiased_faces"])
def test_without_generated_images_none_are_planned(tmp_path, method):
    planned = seconds(run_of(tmp_path, method=method)).keys()
    assert not {"train annotators", "generate faces", "label them", "generate partners"} & planned


def test_the_text_ends_with_the_total(tmp_path):
    run = run_of(tmp_path)
    *lines, total = plan_text(plan(run, IMAGES, COSTS)).splitlines()
    assert len(lines) == len(seconds(run))
    assert duration(sum(seconds(run).values())) in total


def test_a_disk_that_is_too_small_is_refused_before_work_begins(tmp_path, monkeypatch):
    disk = namedtuple("disk", "free")
    monkeypatch.setattr(planning.shutil, "disk_usage", lambda _: disk(10**6))
    with pytest.raises(
        UserError, match=r"needs about 0\.1 GB for images, but the disk of .* has 0\.0 GB free"
    ):
        check_disk(run_of(tmp_path), IMAGES)


@pytest.mark.parametrize(("number", "text"), [(0.2, "1 s"), (89, "89 s"), (700, "12 min"), (12_600, "3.5 h")])
def test_durations_are_read_at_a_glance(number, text):
    assert duration(number) == text
