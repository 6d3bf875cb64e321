"""A run from the command line: what is said before work that is still to be done."""

import html
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fairlab.core.files import write_json
from fairlab.studies.run.execute import execute, has_trained

from ...experiments.toy_run import toy_run


@pytest.mark.parametrize(
    ("trained", "wanted", "done"), [(0, 1, False), (1, 3, False), (3, 3, True), (3, 1, True)]
)
def test_a_run_that_is_given_more_training_seeds_has_work_left(tmp_path, trained, wanted, done):
    run = SimpleNamespace(folder=tmp_path, experiment=SimpleNamespace(seeds=wanted))
    if trained:
        write_json(tmp_path / "manifest.json", {"training_seeds": list(range(trained))})
    assert has_trained(run) is done


@pytest.mark.slow
def test_a_trial_on_an_own_folder_of_noise_reaches_its_report_and_says_what_it_is_worth(tmp_path, capsys):
    root, random = tmp_path / "noise", np.random.default_rng(0)
    root.mkdir()
    table = pd.DataFrame(random.integers(0, 2, (300, 2)), columns=["badge", "night"])
    table.insert(0, "file", [f"{i:03d}.png" for i in range(len(table))])
    for name in table["file"]:
        Image.fromarray(random.integers(0, 256, (32, 32, 3), np.uint8)).save(root / name)
    table.to_csv(root / "labels.csv", index=False)
    own = {"data": "folder", "data_root": str(root), "target": "badge", "protected": "night"}
    run = toy_run(tmp_path / "home", **own, train_gan=None, synthfaces_counts=None)
    execute(run)
    notes = run.label_notes()
    assert notes
    printed, report = capsys.readouterr().out, html.unescape((run.folder / "report.html").read_text())
    assert all(note in printed for note in notes)
    assert all(note in report for note in notes)
