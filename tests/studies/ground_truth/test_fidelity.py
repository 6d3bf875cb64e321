"""What pairs keep and change: the tables agree with counts made elsewhere, and with each other."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from fairlab.data.attributes import ATTRIBUTES
from fairlab.evaluation.pair_truth import attribute_changes, pair_truth, read_labels
from fairlab.experiments.run import Run
from fairlab.studies.ground_truth import fidelity
from fairlab.studies.ground_truth.fidelity import (
    EXACT,
    PARTNERS,
    RANDOM,
    attribute_fidelity,
    changed_counts,
    nuisance_fidelity,
    partner_fidelity,
    read_pairs,
    run_nuisance_reader,
)
from fairlab.studies.ground_truth.nuisance import PERIODIC, nuisance_reader

pytestmark = pytest.mark.slow
N = 120


@pytest.fixture(scope="module")
def run(smoke_home):
    """The smoke run in a folder of its own, in which readings of a smaller reader stay."""
    return Run.of_preset("smoke", smoke_home, name="fidelity", device="cpu")


@pytest.fixture(autouse=True)
def small_reader(monkeypatch):
    monkeypatch.setattr(fidelity, "nuisance_reader", partial(nuisance_reader, counts=(900, 300)))


def by(table, kind, *columns):
    return table[table["pairs"] == kind].set_index(list(columns))["value"]


def test_partners_are_counted_as_elsewhere(run):
    table, counted = partner_fidelity(run, N), pair_truth(run)
    values = by(table, PARTNERS, "metric")
    rows = table[table["pairs"] == PARTNERS].set_index("metric")[["value", "low", "high", "n"]]
    for metric, statement in (
        ("target kept", "partner kept Eyeglasses"),
        ("protected flipped", "partner flipped Male"),
        ("both", "partner did both"),
    ):
        assert tuple(rows.loc[metric]) == pytest.approx(counted[statement][:4])
    before, after = (
        read_labels(run, run.pairs(0).faces)[run.pairs(0).rows],
        read_labels(run, run.pairs(0).partners),
    )
    changes = attribute_changes(before, after)["value"]
    shares = by(attribute_fidelity(run, N), PARTNERS, "attribute")
    pd.testing.assert_series_equal(shares[list(ATTRIBUTES)], changes[list(ATTRIBUTES)], check_names=False)
    assert values["other attributes changed"] == pytest.approx(changes.drop(["Male", "Eyeglasses"]).sum())


def test_the_numbers_of_changes_add_up(run):
    distribution, table = changed_counts(run, N), partner_fidelity(run, N)
    for kind in (PARTNERS, EXACT, RANDOM):
        shares = by(distribution, kind, "changed")
        assert shares.sum() == pytest.approx(1)
        mean = by(table, kind, "metric")["other attributes changed"]
        assert (shares * shares.index).sum() == pytest.approx(mean)
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()


def test_counterfactuals_change_little_and_random_pairs_the_most(run):
    """How much less than random pairs a run's own partners change, is up to its planes."""
    table = partner_fidelity(run, N)
    others = {
        kind: by(table, kind, "metric")["other attributes changed"] for kind in (PARTNERS, EXACT, RANDOM)
    }
    assert max(others[EXACT], others[PARTNERS]) < others[RANDOM]
    assert others[EXACT] < others[RANDOM] / 2
    assert by(table, EXACT, "metric")["both"] > 0.9
    assert table.groupby("pairs")["n"].first().to_dict() == {PARTNERS: 600, EXACT: N, RANDOM: 300}


def test_nuisance_correlates_as_numpy_says(run):
    table, readings, reader = nuisance_fidelity(run, N), read_pairs(run, N), run_nuisance_reader(run)
    for kind, pairs in readings.items():
        values = by(table, kind, "metric", "nuisance")
        assert set(values["correlation"].index) == set(reader.kept)
        for name in set(reader.kept) - set(PERIODIC):
            (column,) = reader.columns(name)
            first, second = pairs.nuisance[0, :, :, column].T
            assert values["correlation", name] == pytest.approx(np.corrcoef(first, second)[0, 1])
            assert values["absolute change", name] == pytest.approx(np.abs(first - second).mean())
    correlations = {kind: by(table, kind, "metric", "nuisance")["correlation"] for kind in readings}
    assert (correlations[EXACT] > 0.6).all()
    assert (correlations[RANDOM].abs() < 0.3).all()


def test_an_angle_changes_by_its_share_of_a_turn(run):
    turn = 2 * np.pi * np.array([[0.95, 0.05], [0.3, 0.1], [0.5, 0.0]])  # changes 0.1, 0.2 and 0.5
    readings = np.stack([np.cos(turn), np.sin(turn)], axis=2)[None] * 0.7  # (1, 3, 2, 2)
    means = fidelity._nuisance_means(run, "background_hue", readings)
    assert means.value[1, 0] == pytest.approx((0.1 + 0.2 + 0.5) / 3)
    same = fidelity._nuisance_means(run, "background_hue", readings[:, :, [0, 0]])
    assert same.value[:, 0] == pytest.approx([1, 0], abs=1e-7)


def test_pictures_are_read_once(run, monkeypatch):
    first = nuisance_fidelity(run, N)
    monkeypatch.setattr(fidelity.NuisanceReader, "read", None)
    assert nuisance_fidelity(run, N).equals(first)
