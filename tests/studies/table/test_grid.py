"""Which targets and methods a table has, and that its numbers are those of single runs."""

import numpy as np
import pandas as pd
import pytest

from fairlab.classifiers import Recipe
from fairlab.core.errors import UserError
from fairlab.data.attributes import REPORTED
from fairlab.evaluation.results import comparison
from fairlab.experiments.presets import preset
from fairlab.experiments.run import workspace_of
from fairlab.methods import METHODS
from fairlab.metrics import format_comparison
from fairlab.studies.table.grid import ABLATIONS, EVIDENCE, Grid, choose_methods, choose_targets, open_grid
from fairlab.studies.table.make import make_baselines, make_cell, make_common
from fairlab.studies.table.measure import measure, pair_table

RECIPE = Recipe(
    backbone="resnet10", width=4, epochs=1, batch_size=32, resize=None, padding=2, crop=16,
    precision="float32",
)  # fmt: skip
#: Drawn faces and trainings of a second.
TOY = {
    "synthfaces_counts": (400, 300, 400), "image_size": 32, "recipe": RECIPE, "n_resamples": 50,
    "n_fit": 60, "n_held_out": 24, "n_pairs": 30, "n_added": 60,
}  # fmt: skip
OF_SOURCE = {name: TOY[name] for name in ("synthfaces_counts", "image_size")}
PAIRS, ADDED = "latent_pairs:partner=margin", "added_oversampling"
CONTROLS = ("unpaired_faces", "added_oversampling", "unbiased_faces")


def small(**changes):
    return preset("smoke", **OF_SOURCE, **changes)


def test_sets_of_methods_are_the_paper_s_ablations_and_the_pairs_beside_controls():
    assert choose_methods(None, "synthfaces") == ("latent_pairs",)
    assert choose_methods(["ablations"], "synthfaces") == ABLATIONS
    assert choose_methods(["controls"], "synthfaces") == ("latent_pairs", *CONTROLS)
    assert choose_methods(["controls"], "celeba") == ("latent_pairs", *CONTROLS[:2])


def test_all_methods_are_those_that_the_source_allows():
    assert set(choose_methods(["all"], "synthfaces")) == set(METHODS) - {"erm"}
    assert set(choose_methods(["all"], "celeba")) == set(METHODS) - {"erm", "unbiased_faces"}


def test_named_methods_keep_their_order_and_none_is_made_twice_nor_the_baseline_at_all():
    wanted = ["oversampling", "controls", "unpaired_faces", "erm", PAIRS, "oversampling"]
    assert choose_methods(wanted, "synthfaces") == ("oversampling", "latent_pairs", *CONTROLS, PAIRS)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["erm", "control"], "no method 'control'; did you mean 'controls'"),
        (["latent_pairs:partner=margins"], "did you mean 'margin'"),
        (["unpaired_faces:partner=margin"], "no setting 'partner'"),
    ],
)
def test_an_unknown_method_or_setting_names_the_nearest(names, sentence):
    with pytest.raises(UserError, match=sentence):
        choose_methods(names, "synthfaces")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("grid")


@pytest.fixture(scope="module")
def data(home):
    return workspace_of(small(), home).prepare()


def has_empty_group(data, target, protected):
    """Whether a cell of the two labels is empty in a split, by a plain cross table."""
    tables = [
        pd.crosstab(data.label(target, split), data.label(protected, split)).reindex([0, 1]).fillna(0)
        for split in ("train", "valid", "test")
    ]
    return any((table.to_numpy() == 0).any() for table in tables)


def test_all_are_the_paper_s_targets_without_those_of_an_empty_group(home, data, capsys):
    left_out = [name for name in REPORTED if has_empty_group(data, name, "Male")]
    assert choose_targets(["all"], small(), home) == tuple(name for name in REPORTED if name not in left_out)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" is left out: ")[0] for line in printed] == left_out


def test_evidence_is_eight_targets_without_a_protected_one(home, data):
    def usable(*protected):
        left = [name for name in EVIDENCE if name not in protected]
        return tuple(name for name in left if not any(has_empty_group(data, name, p) for p in protected))

    e = small(target="Big_Nose")
    assert choose_targets(["evidence", "Bangs", "Smiling"], e, home) == (*usable("Male"), "Bangs")
    two = small(target="Big_Nose", also_protected=("Young",))
    assert choose_targets(["evidence"], two, home) == usable("Male", "Young")


def test_a_target_with_an_empty_group_is_left_out_of_a_set_but_refused_by_name(
    home, data, monkeypatch, capsys
):
    assert has_empty_group(data, "Mustache", "Male")  # no woman of CelebA has one
    monkeypatch.setattr("fairlab.studies.table.grid.EVIDENCE", ("Smiling", "Mustache"))
    assert choose_targets(["evidence"], small(), home) == ("Smiling",)
    assert "Mustache is left out: " in capsys.readouterr().out
    with pytest.raises(UserError, match=r"of 'Mustache' among its .* no other split has any"):
        choose_targets(["Smiling", "Mustache"], small(), home)
    monkeypatch.setattr("fairlab.studies.table.grid.EVIDENCE", ("Mustache",))
    with pytest.raises(UserError, match="No target is left"):
        choose_targets(["evidence"], small(), home)


def test_the_protected_attribute_is_refused_by_name(home):
    with pytest.raises(UserError, match="both 'Male'"):
        choose_targets(["Male"], small(), home)
    two = small(also_protected=("Young",))
    with pytest.raises(UserError, match="both 'Young'"):
        choose_targets(["Young"], two, home)


def test_a_grid_has_a_run_for_every_target_and_method_in_the_folder_of_the_run_command(home):
    grid = open_grid(
        preset_name="smoke",
        targets=["Smiling", "Big_Nose"],
        methods=["latent_pairs:partner=mirrored", "latent_pairs"],
        home=home,
        device="cpu",
        protected=None,
        also_protected=("Big_Lips",),
        seeds=2,
        **OF_SOURCE,
    )
    assert list(grid.cells()) == [(t, m) for t in ("Smiling", "Big_Nose") for m in grid.methods]
    assert grid.n_trainings == 2 * (1 + 2) * 2
    runs = [grid.run("Big_Nose", method) for method in grid.methods]
    name = "synthfaces-smoke-Big_Nose-Male-Big_Lips"
    assert [run.folder.name for run in runs] == [f"{name}-latent_pairs-partner-mirrored-32px", f"{name}-32px"]
    assert {(run.experiment.target, run.experiment.seeds) for run in runs} == {("Big_Nose", 2)}
    assert [run.experiment.method.partner for run in runs] == ["mirrored", "margin"]


def test_shared_settings_go_to_the_methods_that_have_them_and_do_not_change_what_a_name_says(home):
    methods = ("latent_pairs", "latent_pairs:partner=mirrored,n_fit=30", "unpaired_faces", "oversampling")
    grid = Grid("smoke", home, ("Smiling",), methods, {"partner": "perpendicular", "n_fit": "48", "seeds": 2})
    pairs, named, unpaired, drawn = (grid.experiment_of("Smiling", method) for method in methods)
    assert (pairs.method.partner, pairs.method.n_fit) == ("perpendicular", 48)
    assert (named.method.partner, named.method.n_fit) == ("mirrored", 30)
    assert unpaired.method.n_fit == 48
    assert drawn.seeds == 2
    with pytest.raises(UserError, match="did you mean 'n_fit'"):
        Grid("smoke", home, ("Smiling",), methods, {"n_fits": 48}).run("Smiling", "latent_pairs")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"methods": ["erm"]}, "No method is left"),
        ({"methods": ["unbiased_faces"], "data": "folder", "data_root": "x"}, "x"),
        (
            {"methods": ["latent_pairs:target_planes=by_group"], "also_protected": ("Young",)},
            "need one protected attribute",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_before_images_are_made(tmp_path, asked, sentence):
    with pytest.raises(UserError, match=sentence):
        open_grid(preset_name="smoke", targets=["all"], home=tmp_path, device="cpu", **asked)
    assert not list(tmp_path.glob("prepared/*"))


@pytest.fixture(scope="module")
def grid(home):
    """A finished grid of one target."""
    grid = Grid("smoke", home, ("Smiling",), (PAIRS, ADDED), TOY, "cpu")
    make_common(grid)
    make_baselines(grid, "Smiling")
    assert [make_cell(grid, *cell) for cell in grid.cells()] == ["", ""]
    return grid


def test_the_numbers_of_a_grid_are_those_of_its_runs(grid):
    table = measure(grid)
    assert set(table["model"]) == {
        "baseline", PAIRS, ADDED, f"{PAIRS} - baseline", f"{ADDED} - baseline",
        f"baseline - {PAIRS}", f"{ADDED} - {PAIRS}",
    }  # fmt: skip
    assert not table.duplicated(["model", "attribute", "group", "metric"]).any()
    rows = table[table["attribute"] == "Smiling"].set_index(["model", "group", "metric"])
    for _, method in grid.cells():
        single = comparison(grid.run("Smiling", method)).set_index(["model", "group", "metric"])
        assert format_comparison(single.reset_index())
        for model, name in (
            ("baseline",) * 2,
            ("debiased", method),
            ("debiased - baseline", f"{method} - baseline"),
        ):
            expected = single.loc[model].sort_index()
            for column in ("value", "low", "high", "n"):
                found = rows.loc[name][column].reindex(expected.index)
                np.testing.assert_allclose(found, expected[column], err_msg=f"{name} {column}")


def test_the_difference_from_the_first_method_is_paired(grid):
    table = measure(grid)
    whole = table[(table["attribute"] == "Smiling") & (table["metric"] == "AP")]
    value = whole.groupby("model")["value"].first()
    assert value[f"{ADDED} - {PAIRS}"] == pytest.approx(value[ADDED] - value[PAIRS])
    assert value[f"baseline - {PAIRS}"] == pytest.approx(-value[f"{PAIRS} - baseline"])


def test_the_oracle_is_asked_only_about_methods_with_pairs(grid):
    pairs = pair_table(grid)
    assert set(pairs["method"]) == {PAIRS}
    kept = pairs[pairs["statement"] == "partner kept Smiling"]
    assert kept["n"].tolist() == [TOY["n_pairs"]]
    assert ((pairs["low"] <= pairs["value"]) & (pairs["value"] <= pairs["high"])).all()


def test_a_cell_whose_images_all_get_one_label_says_why(grid, one_label):
    one_label("Smiling")
    assert "of 48 labels 0 are 1" in make_cell(grid, "Smiling", "latent_pairs:n_fit=48")
