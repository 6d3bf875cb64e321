"""Which attributes change between two sets of faces, what pairs do, and where a run's things are kept."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fairlab.evaluation import pair_truth as truth
from fairlab.evaluation.pair_truth import attribute_changes, pair_truth
from fairlab.experiments.presets import home_folder
from fairlab.metrics.intervals.proportion import proportion

BEFORE = pd.DataFrame(
    {"Smiling": [1, 1, 0, 0], "Male": [1, 0, 1, 0], "Bald": [0, 0, 0, 0], "Young": [0, 0, 1, 1]}
)


#: What an oracle sees in faces and in the partners of the last 80: Smiling and Male.
FLIPS = {name: np.random.default_rng(n).integers(0, 2, (n, 2)) for name, n in (("z", 100), ("partners", 80))}


def test_changes_count_both_directions_and_the_most_frequent_comes_first():
    after = pd.DataFrame(
        {"Smiling": [1, 0, 0, 0], "Male": [0, 1, 0, 1], "Bald": [0, 0, 0, 0], "Young": [1, 0, 0, 1]}
    )
    table = attribute_changes(BEFORE, after)

    assert table["value"].to_dict() == {"Male": 1.0, "Young": 0.5, "Smiling": 0.25, "Bald": 0.0}
    assert list(table.index) == ["Male", "Young", "Smiling", "Bald"]
    assert table["n"].tolist() == [4, 4, 4, 4]
    for name, count in (("Male", 4), ("Young", 2), ("Smiling", 1), ("Bald", 0)):
        assert tuple(table.loc[name, ["low", "high"]]) == pytest.approx(proportion(count, 4)[1:3])


def test_changes_go_by_the_order_of_rows_not_by_their_names():
    after = BEFORE.set_index(np.array([9, 4, 7, 1]))
    assert (attribute_changes(BEFORE, after)["value"] == 0).all()
    assert (attribute_changes(after, BEFORE)["value"] == 0).all()
    assert attribute_changes(BEFORE, after.iloc[::-1])["value"].to_dict() == {
        "Smiling": 1.0,
        "Male": 1.0,
        "Young": 1.0,
        "Bald": 0.0,
    }


def test_attributes_that_change_alike_keep_their_order():
    after = BEFORE.assign(Smiling=1 - BEFORE["Smiling"], Young=1 - BEFORE["Young"])
    assert list(attribute_changes(BEFORE, after).index) == ["Smiling", "Young", "Male", "Bald"]


def test_the_arguments_stay_as_they_were():
    before, after = BEFORE.copy(), (1 - BEFORE).set_index(np.array([9, 4, 7, 1]))
    attribute_changes(before, after)
    pd.testing.assert_frame_equal(before, BEFORE)
    assert list(after.index) == [9, 4, 7, 1]


@pytest.fixture
def run_of(monkeypatch):
    """A function from a number of seeds to a run whose oracle sees the same partners for each of them."""
    seen = {name: pd.DataFrame(FLIPS[name], columns=["Smiling", "Male"]) for name in FLIPS}
    monkeypatch.setattr(truth, "read_labels", lambda run, faces: seen[faces])
    oracle = SimpleNamespace(right={"Smiling": (90, 100), "Male": (99, 100)})
    monkeypatch.setattr(truth, "shipped_oracle", lambda device: oracle)
    pairs = SimpleNamespace(
        source="z", rows=slice(20, 100), partners="partners", labels=FLIPS["partners"][:, 0]
    )  # rows come after latents that only planes need
    chosen = {"target": "Smiling", "protected": "Male", "n_resamples": 200, "seed": 0}
    return lambda seeds: SimpleNamespace(
        experiment=SimpleNamespace(seeds=seeds, **chosen), device="cpu", pairs=lambda seed: pairs
    )


def test_pairs_are_counted_and_the_oracle_has_an_interval_of_its_own(run_of):
    found = pair_truth(run_of(1))
    z, partners = FLIPS["z"][20:], FLIPS["partners"]
    both = (z[:, 0] == partners[:, 0]) & (z[:, 1] != partners[:, 1])
    assert found["partner did both"].value == pytest.approx(both.mean())
    assert found["Smiling label given to z is what the oracle sees in the partner"].value == 1
    oracle = found["oracle right about Smiling, on unseen drawn faces"]
    assert oracle == proportion(90, 100)


def test_the_same_pairs_in_three_trainings_are_no_more_pairs(run_of):
    once, thrice = pair_truth(run_of(1)), pair_truth(run_of(3))
    assert list(once) == list(thrice)
    for statement, share in once.items():
        assert thrice[statement][:3] == pytest.approx(share[:3])
        assert thrice[statement].n == share.n


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with data and notebooks, the working folder in it, and no home in the environment."""
    monkeypatch.delenv("FAIRLAB_HOME", raising=False)
    for name in ("data", "notebooks/deeper"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "notebooks" / "00_biased_faces.ipynb").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_in_the_project_home_is_its_data(project):
    assert home_folder() == Path("data")


@pytest.mark.parametrize("place", ["notebooks", "notebooks/deeper"])
def test_a_notebook_finds_the_data_of_the_project_above(project, place, monkeypatch):
    monkeypatch.chdir(project / place)
    assert home_folder().resolve() == (project / "data").resolve()


def test_folders_of_the_same_names_are_no_project(project, monkeypatch):
    (project / "notebooks" / "00_biased_faces.ipynb").unlink()
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert home_folder() == Path("data")


def test_what_is_given_wins_over_the_environment_and_that_over_the_project(project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    monkeypatch.setenv("FAIRLAB_HOME", str(project / "kept"))
    assert home_folder() == project / "kept"
    assert home_folder(project / "given") == project / "given"
    assert home_folder("") == project / "kept"
