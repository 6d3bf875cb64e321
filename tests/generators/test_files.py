"""Generators on disk: what is saved comes back, what is damaged is refused in one sentence."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fairlab.core.errors import UserError
from fairlab.generators import (
    ProgressiveGenerator,
    generate,
    load_generator,
    open_generator,
    sample_latents,
    save_generator,
    shipped_generator,
)
from fairlab.generators import files as generator_files

Z = sample_latents(6, 16, seed=5)


@pytest.fixture
def generator():
    torch.manual_seed(3)
    return ProgressiveGenerator(16, (8, 8, 6, 4)).eval()


def _pictures(generator):
    return generate(generator, Z, progress=False)


@pytest.mark.parametrize(("resolution", "alpha"), [(32, 1.0), (16, 0.5), (4, 1.0)])
def test_round_trip_at_every_stage(generator, tmp_path, resolution, alpha):
    generator.grow(resolution, alpha)
    save_generator(generator, tmp_path / "g.safetensors", {"data": "noise"})
    loaded = load_generator(tmp_path / "g.safetensors")
    assert (loaded.latent_dim, loaded.resolution, loaded.alpha) == (16, resolution, alpha)
    np.testing.assert_array_equal(_pictures(loaded), _pictures(generator))


def test_loading_leaves_the_random_state_alone(generator, tmp_path):
    save_generator(generator, tmp_path / "g.safetensors", {})
    before = torch.get_rng_state()
    load_generator(tmp_path / "g.safetensors")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("keep", [0, 7, 100, -1])
def test_truncated_files_are_refused(generator, tmp_path, keep):
    path = tmp_path / "g.safetensors"
    save_generator(generator, path, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match="truncated"):
        load_generator(path)


def test_missing_and_foreign_files_are_refused(generator, tmp_path):
    with pytest.raises(UserError, match="missing"):
        load_generator(tmp_path / "none.safetensors")
    save_file(generator.state_dict(), tmp_path / "foreign.safetensors")
    with pytest.raises(UserError, match="not a generator saved by FairLab"):
        load_generator(tmp_path / "foreign.safetensors")


def test_wrong_shapes_inside_are_refused(tmp_path):
    config = json.dumps({"latent_dim": 16, "channels": [8, 8], "alpha": 1.0})
    metadata = {"format": generator_files.FORMAT, "config": config}
    save_file(ProgressiveGenerator(16, (8,)).state_dict(), tmp_path / "g.safetensors", metadata=metadata)
    with pytest.raises(UserError, match="damaged"):
        load_generator(tmp_path / "g.safetensors")


def _ship(generator, folder, monkeypatch):
    monkeypatch.setattr(generator_files, "weights_folder", lambda: folder)
    path = folder / generator_files.SHIPPED
    save_generator(generator, path, {"data": "SynthFaces"})
    return path


def test_shipped_generator_is_verified_by_its_card(generator, tmp_path, monkeypatch):
    path = _ship(generator, tmp_path, monkeypatch)
    assert json.loads(path.with_suffix(".json").read_text())["data"] == "SynthFaces"
    np.testing.assert_array_equal(_pictures(shipped_generator()), _pictures(generator))
    save_file(generator.state_dict(), path)
    with pytest.raises(UserError, match="SHA-256"):
        shipped_generator()


def test_shipped_generator_needs_weights_and_card(generator, tmp_path, monkeypatch):
    path = _ship(generator, tmp_path, monkeypatch)
    path.with_suffix(".json").unlink()
    with pytest.raises(UserError, match="json"):
        shipped_generator()
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        shipped_generator()


def test_a_generator_of_either_kind_is_opened_by_its_name(generator, tmp_path):
    save_generator(generator, tmp_path / "g.safetensors", {})
    np.testing.assert_array_equal(_pictures(open_generator(tmp_path / "g.safetensors")), _pictures(generator))
    zoo = open_generator(Path(__file__).parent / "data" / "gan_zoo_pgan_a.pth")
    z = sample_latents(2, zoo.latent_dim, seed=0)
    assert generate(zoo, z, progress=False).shape == (2, zoo.resolution, zoo.resolution, 3)
