"""The training loop: it learns, repeats itself, survives kill -9, and refuses what does not fit."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fairlab.classifiers import Classifier, Selected, train_classifier
from fairlab.core.errors import UserError
from fairlab.core.tensors import save_state

HERE = Path(__file__).parent
FILES = ("weights.safetensors", "classifier.json")


def run_script(name: str, *arguments: object, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    command = [sys.executable, *launcher, str(HERE / name), *map(str, arguments)]
    # One thread: sums must be taken in the same order in every run.
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


def curve(folder: Path) -> list[dict]:
    """Return the curve without its only machine-dependent column."""
    records = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


def test_a_separable_task_is_learnt(task, faces, tmp_path, recipe):
    run = task(n=256, recipe=dataclasses.replace(recipe, epochs=5))
    classifier = train_classifier(tmp_path, **run)
    records = curve(tmp_path)
    assert [record["images_seen"] for record in records] == [256 * epoch for epoch in range(1, 6)]
    assert records[-1]["train_loss"] < 0.5 * records[0]["train_loss"]
    assert max(record["average_precision"] for record in records) > 0.97
    images, labels = faces(200, seed=9)
    assert ((classifier.score(images, progress=False) > 0.5) == labels).mean() > 0.9
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(task, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_classifier(tmp_path / name, **task(seed=seed))
    a, b, c = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_with_the_same_bytes(task, tmp_path):
    """One read is the fingerprint's and 4 make an epoch, so these fall into epochs 1, 2 and 3."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    result = run_script("killed_run.py", killed, 3, 7, 7)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["0", "1", "2"]
    train_classifier(killed, **task())
    train_classifier(whole, **task())
    for name in FILES:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name
    assert curve(whole) == curve(killed)


@pytest.mark.slow
def test_under_torchrun_two_processes_train_one_network(tmp_path):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    result = run_script("distributed_run.py", tmp_path, launcher=launcher)
    assert result.returncode == 0, result.stderr
    assert len(curve(tmp_path)) == 3
    assert Classifier.load(tmp_path, "cpu").attributes == ("Smiling", "Bangs")


def interrupt_after(epoch: int):
    def stop(record: dict) -> None:
        if record["epoch"] == epoch:
            raise KeyboardInterrupt

    return stop


def test_a_folder_with_other_settings_is_refused_before_and_after_the_end(task, tmp_path, recipe):
    with pytest.raises(KeyboardInterrupt):
        train_classifier(tmp_path, **task(), on_epoch=interrupt_after(1))
    other = dataclasses.replace(recipe, learning_rate=1e-4)
    for _ in ("half trained", "finished"):
        with pytest.raises(UserError, match=r"other settings: learning_rate \(0.005 → 0.0001\)"):
            train_classifier(tmp_path, **task(recipe=other))
        with pytest.raises(UserError, match="other settings: seed"):
            train_classifier(tmp_path, **task(seed=7))
        with pytest.raises(UserError, match="other settings: data"):
            train_classifier(tmp_path, **task(n=100))
        train_classifier(tmp_path, **task())


def test_a_finished_classifier_is_loaded_not_trained(task, tmp_path):
    trained = train_classifier(tmp_path, **task())
    again = train_classifier(tmp_path, **task(), on_epoch=lambda _: pytest.fail("trained again"))
    images = task()["images"]
    np.testing.assert_array_equal(trained.score(images, progress=False), again.score(images, progress=False))


def flipped(content: bytes) -> bytes:
    """Return the content with one bit flipped in the middle."""
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda c: c[:100], lambda c: c[:-50], flipped])
@pytest.mark.parametrize("name", ["checkpoint.safetensors", "weights.safetensors"])
def test_with_a_damaged_file_a_training_begins_again_and_says_so(task, tmp_path, capsys, name, damage):
    train_classifier(tmp_path / "whole", **task())
    with pytest.raises(KeyboardInterrupt):
        train_classifier(tmp_path / "cut", **task(), on_epoch=interrupt_after(1))
    file = tmp_path / "cut" / name
    file.write_bytes(damage(file.read_bytes()))
    train_classifier(tmp_path / "cut", **task())
    assert f"{file} is damaged: this training begins again." in capsys.readouterr().out
    for name in FILES:
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "cut" / name).read_bytes(), name
    assert curve(tmp_path / "whole") == curve(tmp_path / "cut")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\n"])
def test_a_damaged_curve_comes_back_from_the_checkpoint(task, tmp_path, recipe, content):
    with pytest.raises(KeyboardInterrupt):
        train_classifier(tmp_path, **task(), on_epoch=interrupt_after(recipe.epochs))
    whole = curve(tmp_path)
    (tmp_path / "curve.jsonl").write_bytes(content)
    train_classifier(tmp_path, **task())
    assert curve(tmp_path) == whole


def test_a_checkpoint_of_something_else_is_one_sentence(task, tmp_path):
    save_state(tmp_path / "checkpoint.safetensors", {"generator": {}, "stage": 3})
    with pytest.raises(UserError, match="other settings: attributes, seed, data"):
        train_classifier(tmp_path, **task())


def test_a_finished_folder_that_lost_its_weights_is_one_sentence(task, tmp_path):
    train_classifier(tmp_path, **task())
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(UserError, match="delete its folder and train again"):
        train_classifier(tmp_path, **task())


def test_a_diverging_loss_is_one_sentence_and_leaves_no_checkpoint(task, tmp_path, recipe):
    with pytest.raises(UserError, match=r"became (nan|inf) in epoch \d; lower the learning rate"):
        train_classifier(tmp_path, **task(recipe=dataclasses.replace(recipe, learning_rate=1e30)))
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_weights_of_samples_change_what_is_learnt(task, faces, tmp_path):
    """Images whose labels were inverted do no harm at weight 0."""
    images, labels = faces(256, seed=1)
    wrong = np.arange(256) % 2 == 1
    noisy = np.where(wrong[:, None], 1 - labels, labels)
    run = task(images=images, labels=noisy, sample_weight=(~wrong).astype(float))
    train_classifier(tmp_path, **run)
    assert max(record["average_precision"] for record in curve(tmp_path)) > 0.9


def test_equal_weights_change_nothing(task, tmp_path):
    train_classifier(tmp_path / "none", **task())
    train_classifier(tmp_path / "equal", **task(sample_weight=np.full(128, 3.0)))
    assert curve(tmp_path / "none") == curve(tmp_path / "equal")


def test_memory_maps_and_selections_are_read_like_arrays(task, tmp_path):
    run = task()
    np.save(tmp_path / "images.npy", run["images"][::-1])
    mapped = Selected(np.load(tmp_path / "images.npy", mmap_mode="r"), np.arange(128)[::-1])
    train_classifier(tmp_path / "array", **run)
    train_classifier(tmp_path / "mapped", **run | {"images": mapped})
    assert curve(tmp_path / "array") == curve(tmp_path / "mapped")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": np.zeros((128, 3), np.uint8)}, "do not fit 128 images and 2 attributes"),
        ({"labels": np.full((128, 2), 2)}, "labels that are 0 or 1"),
        ({"labels": np.zeros((128, 2), np.uint8)}, "All 128 training images have Smiling = 0"),
        ({"valid_labels": np.ones((64, 2), np.uint8)}, "need positives and negatives"),
        ({"sample_weight": np.zeros(128)}, "not negative and not all 0"),
        ({"sample_weight": np.ones(3)}, "must be 128 numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_one_sentence(task, tmp_path, change, sentence):
    with pytest.raises(UserError, match=sentence):
        train_classifier(tmp_path, **task(**change))
    assert not list(tmp_path.iterdir())
