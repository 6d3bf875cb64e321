"""The reader of nuisance: what it is asked for, and that its accuracy is what it says."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.factors import NUISANCE
from fairlab.data.synthfaces.law import sample_factors
from fairlab.studies.ground_truth import nuisance
from fairlab.studies.ground_truth.nuisance import PERIODIC, READ, NuisanceReader, encode, nuisance_reader
from fairlab.workspace.reader import shipped_oracle


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def reader(home):
    return nuisance_reader(shipped_oracle("cpu"), home, counts=(900, 300))


def test_hues_and_angles_meet_at_their_ends_and_the_rest_stays_as_it_is():
    low, high = np.zeros((1, len(NUISANCE))), np.full((1, len(NUISANCE)), 1 - 1e-6)
    gap = np.abs(encode(low) - encode(high))[0]
    for name in READ:
        assert gap[NuisanceReader.columns(name)].max() == pytest.approx(float(name not in PERIODIC), abs=1e-4)
        assert len(NuisanceReader.columns(name)) == 1 + (name in PERIODIC)
    assert sum(len(NuisanceReader.columns(name)) for name in READ) == len(gap)


def test_small_pixels_are_means_of_areas():
    images = np.random.default_rng(0).integers(0, 256, size=(3, 64, 64, 3), dtype=np.uint8)
    small = nuisance._small(images).reshape(3, 16, 16, 3)
    assert small[1, 2, 5, 0] == pytest.approx(images[1, 8:12, 20:24, 0].mean() / 255)


def test_faces_never_seen_are_read_as_well_as_the_record_says(reader):
    faces = sample_factors(400, seed=77, stream="test")
    read, truth = reader.read(draw(faces, 64)), encode(faces.nuisance)
    for name in ("shift_x", "roll", "background_value", "background_angle", "noise_level"):
        own = NuisanceReader.columns(name)
        found = r2_score(truth[:, own], read[:, own], multioutput="variance_weighted")
        stated = reader.accuracy.loc[name]
        assert stated["low"] - 0.12 < found < stated["high"] + 0.12
        assert stated["low"] < stated["value"] < stated["high"]
    assert {"shift_x", "roll", "background_value", "background_angle"} <= set(reader.kept)
    assert not {"noise_level", "noise_seed"} & set(reader.kept)
    assert (reader.accuracy.loc[list(reader.kept), "value"] >= 0.5).all()
    assert set(reader.accuracy["n"]) == {300}


def test_it_is_fitted_once(reader, home, monkeypatch):
    monkeypatch.setattr(nuisance, "draw", None)
    again = nuisance_reader(reader.oracle, home, counts=(900, 300))
    np.testing.assert_array_equal(again.weights, reader.weights)
    assert again.fingerprint == reader.fingerprint
