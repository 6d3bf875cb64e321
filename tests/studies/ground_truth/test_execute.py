"""The truth command on a finished run: its files agree with the measurements, and other runs are refused."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.evaluation.pair_truth import read_labels
from fairlab.experiments.run import Run
from fairlab.studies.ground_truth.examples import best_and_worst, pair_changes
from fairlab.studies.ground_truth.execute import truth
from fairlab.studies.ground_truth.fidelity import partner_fidelity
from fairlab.studies.ground_truth.label_noise import label_noise

pytestmark = pytest.mark.slow
N, N_INVERTED, N_MOVED = 60, 2, 4
TABLES = {
    "attributes", "changed_counts", "classifiers", "direction_effects", "directions", "label_noise",
    "linearity", "nuisance", "nuisance_reader", "pairs", "summary",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(smoke_home):
    return Run.of_preset("smoke", smoke_home, device="cpu")


@pytest.fixture(scope="module")
def told(run):
    """Return what the command prints; its files are in the run folder."""
    return truth(run, n=N, n_inverted=N_INVERTED, n_moved=N_MOVED)


@pytest.fixture
def summary(run, told):
    return pd.read_csv(run.folder / "ground_truth" / "summary.csv")


def test_all_tables_and_two_figures_are_written(run, told):
    files = {path.name for path in (run.folder / "ground_truth").iterdir()}
    assert files == {f"{name}.csv" for name in TABLES} | {"changed_counts.png", "direction_effects.png"}
    for name in TABLES:
        table = pd.read_csv(run.folder / "ground_truth" / f"{name}.csv")
        defined = table[table["value"].notna()]
        assert {"low", "high", "n"} <= set(table.columns), name
        assert (defined["low"] <= defined["high"]).all(), name
        assert (defined["n"] > 0).all(), name


def test_the_summary_is_that_of_the_measurements(run, summary):
    found = summary.set_index("measured")
    pairs = partner_fidelity(run, N).set_index(["pairs", "metric"])
    kept = pairs.loc[("partners", "target kept")]
    assert found.loc["Eyeglasses kept, partners", "value"] == pytest.approx(kept["value"])
    assert found.loc["Male flipped, exact counterfactuals", "n"] == N
    noise = label_noise(run)
    row = noise[(noise["faces"] == "z'") & (noise["seed"] == "all") & (noise["group"] == "Male")].iloc[0]
    assert found.loc["wrong labels of z', Male", "value"] == pytest.approx(row["value"])
    assert summary["assumption"].nunique() == 8


def test_what_is_printed_and_the_page_have_every_finding(run, told, summary):
    page = (run.folder / "ground_truth.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 11
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    escaped = page.replace("&#39;", "'")
    for row in summary.itertuples():
        assert row.assumption in told
        assert row.measured in told
        assert row.measured in escaped
    kept = summary[summary["measured"] == "Eyeglasses kept, partners"].iloc[0]
    number = f"{100 * kept['value']:.1f}% [{100 * kept['low']:.1f}, {100 * kept['high']:.1f}]"
    assert number in told
    assert number in escaped.replace("\N{NO-BREAK SPACE}", " ")


def test_changes_of_pairs_are_counted_from_what_the_oracle_sees(run):
    changes = pair_changes(run)
    z = read_labels(run, run.pairs(0).faces)[run.pairs(0).rows].to_numpy()
    others = read_labels(run, run.pairs(0).partners).to_numpy()
    moved = (z != others).sum(axis=1)
    assert (changes["others"] + ~changes["kept"] + changes["flipped"]).tolist() == moved.tolist()
    best, worst = best_and_worst(changes, 5)
    assert changes.loc[best, ["kept", "flipped"]].to_numpy().all()
    did_both = changes[changes["kept"] & changes["flipped"]].drop(index=best)
    assert changes.loc[best, "others"].max() <= did_both["others"].min()
    assert changes.loc[worst, "others"].min() >= changes["others"].drop(index=worst).max()


def test_other_images_and_runs_without_partners_are_refused(run, smoke_home):
    photographs = SimpleNamespace(work=SimpleNamespace(source=SimpleNamespace(name="celeba")))
    with pytest.raises(UserError, match="Only drawn faces can be redrawn"):
        truth(photographs)
    control = Run.of_preset("smoke", smoke_home, device="cpu", method="added_oversampling")
    with pytest.raises(UserError, match="'added_oversampling' adds no partners"):
        truth(control)


@pytest.mark.parametrize(
    ("counts", "flag"),
    [({"n": 1}, "--faces is 1"), ({"n_inverted": 1}, "--inverted-faces"), ({"n_moved": -5}, "--moved")],
)
def test_too_few_faces_are_refused_before_anything_is_drawn(run, counts, flag):
    with pytest.raises(UserError, match=f"{flag}.*are needed"):
        truth(run, **counts)
