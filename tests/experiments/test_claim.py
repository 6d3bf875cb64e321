"""A run folder of other settings, labels or images is refused when the run is opened, in words."""

import copy
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.core.files import read_record
from fairlab.experiments.claim import MADE_FROM, RECORD
from fairlab.experiments.presets import LONGEST_NAME, preset
from fairlab.experiments.run import Run
from fairlab.studies.table.grid import open_grid
from fairlab.studies.table.make import check_runs

PER_CELL = 4


def pictures(root, **names):
    """Write a folder of tiny pictures, all groups in all splits."""
    root.mkdir(parents=True)
    target, protected = names.get("target", "badge"), names.get("protected", "night")
    rows = [(s, y, a) for s in ("train", "valid", "test") for y in (0, 1) for a in (0, 1)] * PER_CELL
    table = pd.DataFrame(rows, columns=["split", target, protected])
    table.insert(0, "file", [f"{i:02d}.png" for i in range(len(table))])
    for name in table["file"]:
        Image.new("RGB", (16, 16)).save(root / name)
    table.to_csv(root / "labels.csv", index=False)
    return root


def corrected(root, rows, column="badge"):
    """Flip labels of some rows in the table."""
    table = pd.read_csv(root / "labels.csv")
    table.loc[rows, column] = 1 - table.loc[rows, column]
    table.to_csv(root / "labels.csv", index=False)


def opened(home, root, **changes):
    settings = {"target": "badge", "protected": "night", "device": "cpu"} | changes
    return Run.of_preset("smoke", home, data="folder", data_root=str(root), **settings)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path, home):
    """A folder whose run was opened and whose images were prepared."""
    root = pictures(tmp_path / "pictures")
    opened(home, root).work.prepare()
    return root


def refusal(home, root, **changes):
    with pytest.raises(UserError) as refused:
        opened(home, root, **changes)
    return str(refused.value)


def test_the_same_run_is_opened_again_wherever_its_images_lie(home, root, tmp_path):
    opened(home, root)
    shutil.copytree(root, tmp_path / "moved")
    opened(home, tmp_path / "moved")


def test_a_corrected_label_is_told_with_its_image_before_anything_is_made(home, root):
    corrected(root, [7])
    said = refusal(home, root)
    assert (
        "made from other labels: 1 of 48 labels of 'badge' differs, first 07.png; choose another --run"
        in said
    )
    assert not (home / "classifiers").exists()
    opened(home, root, name="corrected")


def test_another_folder_with_the_same_attributes_is_told(home, root, tmp_path):
    other = pictures(tmp_path / "other")
    corrected(other, [0, 1], "night")
    said = refusal(home, other)
    assert f"another folder ({root}, now {other}): 2 of 48 labels of 'night' differ, first 00.png" in said


def test_other_files_with_the_same_labels_are_told(home, root):
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    Image.fromarray(noise).save(root / "03.png")
    assert "other image files: their sizes in bytes differ, the labels do not" in refusal(home, root)


def test_labels_of_images_that_are_no_longer_prepared_are_told_without_which(home, root):
    shutil.rmtree(home / "prepared")
    corrected(root, [7])
    assert "other images or labels than there are now" in refusal(home, root)


def test_results_of_an_earlier_version_are_known_by_their_manifest(home, root):
    run = opened(home, root)
    record = read_record(run.folder / RECORD)  # earlier versions kept no checksum
    images = record.pop(MADE_FROM)["images"]
    (run.folder / RECORD).write_text(json.dumps(record))
    opened(home, root)  # nothing was made: it is claimed
    (run.folder / RECORD).write_text(json.dumps(record))
    (run.folder / "manifest.json").write_text(json.dumps({"data": {"fingerprint": images}}))
    corrected(root, [7])
    assert "1 of 48 labels of 'badge' differs" in refusal(home, root)


def test_names_that_are_cleaned_to_the_same_folder_do_not_share_it(home, tmp_path):
    one, two = (pictures(tmp_path / str(i), target=name) for i, name in enumerate(("a?b", "a/b")))
    assert opened(home, one, target="a?b").folder.name == "folder-smoke-a_b-night"
    assert "--target a?b, now a/b" in refusal(home, two, target="a/b")


def test_a_long_name_is_cut_to_one_that_file_systems_take(home, tmp_path):
    names = ["long " * 60 + end for end in ("one", "two")]
    folders = [
        opened(home, pictures(tmp_path / name[-3:], target=name), target=name).folder for name in names
    ]
    assert folders[0] != folders[1]
    assert all(len(folder.name.encode()) <= LONGEST_NAME for folder in folders)
    assert "at most 150 letters" in refusal(home, tmp_path / "one", target=names[0], name="x" * 151)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"target": "night", "protected": "badge"},
            "--target badge, now night; --protected night, now badge",
        ),
        ({"partner": "mirrored"}, "--set partner margin, now mirrored"),
        ({"positive_share": 0.3}, "--set positive_share None, now 0.3"),
        ({"method": "oversampling"}, "--method latent_pairs, now oversampling"),
        ({"image_size": 32}, "--image-size 64, now 32"),
        ({"train_gan": True}, "--train-gan False, now True"),
    ],
)
def test_other_settings_are_told_by_their_options(home, root, changes, words):
    assert words in refusal(home, root, name="folder-smoke-badge-night", **changes)


def leaves(settings, path=()):
    for name, value in settings.items():
        yield from leaves(value, (*path, name)) if isinstance(value, dict) else [(*path, name)]


def test_every_setting_that_ties_a_run_is_told(home, root):
    """No difference goes unsaid: a changed record of any setting is a clash."""
    run = opened(home, root)
    record = read_record(run.folder / RECORD)
    identity = json.loads(json.dumps(preset("smoke").identity()))
    for path in leaves(identity):
        changed = copy.deepcopy(record)
        inner = changed
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = ["other"] if path[-1] == "also_protected" else "other"
        (run.folder / RECORD).write_text(json.dumps(changed))
        assert "made with other settings" in refusal(home, root), path


def test_groups_are_checked_before_a_folder_is_claimed(home, tmp_path):
    root = pictures(tmp_path / "pictures")
    table = pd.read_csv(root / "labels.csv")
    table.assign(night=table["badge"]).to_csv(root / "labels.csv", index=False)
    assert "cannot be told apart" in refusal(home, root)
    table.to_csv(root / "labels.csv", index=False)
    opened(home, root)


def test_a_table_of_an_own_folder_tells_a_clash_of_any_of_its_runs(home, root):
    def grid():
        asked = {"targets": ["badge"], "methods": ["latent_pairs", "oversampling"], "protected": "night"}
        return open_grid(
            preset_name="smoke", home=home, device="cpu", data="folder", data_root=str(root), **asked
        )

    check_runs(grid())
    corrected(root, [7])
    with pytest.raises(UserError, match=r"1 of 48 labels of 'badge' differs.*name another --home"):
        check_runs(grid())


def test_a_damaged_record_is_written_again(home, root, capsys):
    folder = opened(home, root).folder
    before = (folder / RECORD).read_bytes()
    (folder / RECORD).write_bytes(before.replace(b"badge", b"bodge", 1))
    opened(home, root)
    assert "experiment.json is damaged and is written again" in capsys.readouterr().out
    assert (folder / RECORD).read_bytes() == before
