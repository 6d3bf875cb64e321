"""Which targets and variants a table has, and that its numbers are those of single runs."""

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.data.attributes import REPORTED
from fairlab.evaluation.results import comparison
from fairlab.experiments.experiment import ABLATIONS
from fairlab.experiments.presets import preset
from fairlab.experiments.run import Run
from fairlab.metrics import format_comparison
from fairlab.studies.table.grid import (
    EVIDENCE,
    Grid,
    choose_targets,
    choose_variants,
    make_baselines,
    make_cell,
    make_common,
    measure,
    open_grid,
    pair_table,
)

SMALL = {"n_fit": 200, "n_held_out": 40, "n_pairs": 60}


def test_sets_of_variants_are_the_paper_s_ablations_and_the_method_beside_controls():
    e = preset("smoke")
    assert choose_variants(None, e) == ("just_across",)
    assert choose_variants(["ablations"], e) == ABLATIONS
    assert choose_variants(["controls"], e) == ("just_across", "unpaired", "oversampling", "unbiased_faces")
    photographs = preset("smoke", data="celeba", data_root="x")
    assert choose_variants(["controls"], photographs) == ("just_across", "unpaired", "oversampling")


def test_named_variants_keep_their_order_and_none_is_made_twice():
    wanted = ["z_only", "controls", "unpaired", "paired", "z_only"]
    assert choose_variants(wanted, preset("smoke")) == (
        "z_only", "just_across", "unpaired", "oversampling", "unbiased_faces", "paired",
    )  # fmt: skip


def test_an_unknown_variant_names_the_nearest():
    with pytest.raises(UserError, match="no variant 'control'; did you mean 'controls'"):
        choose_variants(["paired", "control"], preset("smoke"))


@pytest.fixture(scope="module")
def data(smoke_home):
    return Run.of_preset("smoke", smoke_home).data


def has_empty_group(data, target, protected):
    """Whether a cell of the two labels is empty in a split, by a plain cross table."""
    tables = [
        pd.crosstab(data.label(target, split), data.label(protected, split)).reindex([0, 1]).fillna(0)
        for split in ("train", "valid", "test")
    ]
    return any((table.to_numpy() == 0).any() for table in tables)


@pytest.mark.slow
def test_all_are_the_paper_s_targets_without_those_of_an_empty_group(smoke_home, data, capsys):
    left_out = [name for name in REPORTED if has_empty_group(data, name, "Male")]
    assert choose_targets(["all"], preset("smoke"), smoke_home) == tuple(
        name for name in REPORTED if name not in left_out
    )
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" is left out: ")[0] for line in printed] == left_out


@pytest.mark.slow
def test_evidence_is_eight_targets_without_a_protected_one(smoke_home):
    e = preset("smoke", target="Big_Nose")
    assert choose_targets(["evidence", "Bangs", "Smiling"], e, smoke_home) == (*EVIDENCE, "Bangs")
    two = preset("smoke", target="Big_Nose", also_protected=("Young",))
    assert choose_targets(["evidence"], two, smoke_home) == tuple(n for n in EVIDENCE if n != "Young")


@pytest.mark.slow
def test_a_target_with_an_empty_group_is_left_out_of_a_set_but_refused_by_name(
    smoke_home, data, monkeypatch, capsys
):
    assert has_empty_group(data, "Mustache", "Male")  # no woman of CelebA has one
    monkeypatch.setattr("fairlab.studies.table.grid.EVIDENCE", ("Smiling", "Mustache"))
    assert choose_targets(["evidence"], preset("smoke"), smoke_home) == ("Smiling",)
    assert "Mustache is left out: " in capsys.readouterr().out
    with pytest.raises(UserError, match=r"of 'Mustache' among its .* so that group cannot be measured"):
        choose_targets(["Smiling", "Mustache"], preset("smoke"), smoke_home)
    monkeypatch.setattr("fairlab.studies.table.grid.EVIDENCE", ("Mustache",))
    with pytest.raises(UserError, match="No target is left"):
        choose_targets(["evidence"], preset("smoke"), smoke_home)


@pytest.mark.slow
def test_the_protected_attribute_is_refused_by_name(smoke_home):
    with pytest.raises(UserError, match="both 'Male'"):
        choose_targets(["Male"], preset("smoke"), smoke_home)
    two = preset("smoke", also_protected=("Young",))
    with pytest.raises(UserError, match="both 'Young'"):
        choose_targets(["Young"], two, smoke_home)


@pytest.mark.slow
def test_a_grid_has_a_run_for_every_target_and_variant_in_the_folder_of_the_run_command(smoke_home):
    grid = open_grid(
        preset_name="smoke",
        targets=["Smiling", "Big_Nose"],
        variants=["paired", "just_across"],
        home=smoke_home,
        device="cpu",
        protected=None,
        also_protected=("Big_Lips",),
        seeds=2,
    )
    assert list(grid.cells()) == [
        ("Smiling", "paired"),
        ("Smiling", "just_across"),
        ("Big_Nose", "paired"),
        ("Big_Nose", "just_across"),
    ]
    assert grid.n_trainings == 2 * (1 + 2) * 2
    run = grid.run("Big_Nose", "just_across")
    assert run.folder == smoke_home / "runs" / "synthfaces-smoke-Big_Nose-Male-Big_Lips"
    assert (run.experiment.target, run.experiment.variant, run.experiment.seeds) == (
        "Big_Nose", "just_across", 2,
    )  # fmt: skip


@pytest.fixture(scope="module")
def grid(smoke_home):
    """A finished grid of one target, in a home of its own that links to what is shared."""
    home = smoke_home / "grid"
    home.mkdir()
    for name in ("prepared", "classifiers", "latents"):
        (home / name).symlink_to(smoke_home / name, target_is_directory=True)
    grid = Grid("smoke", home, ("Eyeglasses",), ("just_across", "oversampling"), SMALL)
    make_common(grid)
    make_baselines(grid, "Eyeglasses")
    assert [make_cell(grid, *cell) for cell in grid.cells()] == ["", ""]
    return grid


@pytest.mark.slow
def test_the_numbers_of_a_grid_are_those_of_its_runs(grid):
    table = measure(grid)
    assert set(table["model"]) == {
        "baseline", "just_across", "oversampling", "just_across - baseline", "oversampling - baseline",
        "baseline - just_across", "oversampling - just_across",
    }  # fmt: skip
    assert not table.duplicated(["model", "attribute", "group", "metric"]).any()
    rows = table[table["attribute"] == "Eyeglasses"].set_index(["model", "group", "metric"])
    for _, variant in grid.cells():
        single = comparison(grid.run("Eyeglasses", variant)).set_index(["model", "group", "metric"])
        assert format_comparison(single.reset_index())
        for model, name in (
            ("baseline",) * 2,
            ("debiased", variant),
            ("debiased - baseline", f"{variant} - baseline"),
        ):
            expected = single.loc[model].sort_index()
            for column in ("value", "low", "high", "n"):
                found = rows.loc[name][column].reindex(expected.index)
                np.testing.assert_allclose(found, expected[column], err_msg=f"{name} {column}")


@pytest.mark.slow
def test_the_difference_from_the_first_variant_is_paired(grid):
    table = measure(grid)
    whole = table[(table["attribute"] == "Eyeglasses") & (table["metric"] == "AP")]
    value = whole.groupby("model")["value"].first()
    assert value["oversampling - just_across"] == pytest.approx(value["oversampling"] - value["just_across"])
    assert value["baseline - just_across"] == pytest.approx(-value["just_across - baseline"])


@pytest.mark.slow
def test_the_oracle_is_asked_only_about_variants_with_pairs(grid):
    pairs = pair_table(grid)
    assert set(pairs["variant"]) == {"just_across"}
    kept = pairs[pairs["statement"] == "partner kept Eyeglasses"]
    assert kept["n"].tolist() == [SMALL["n_pairs"]]
    assert ((pairs["low"] <= pairs["value"]) & (pairs["value"] <= pairs["high"])).all()
