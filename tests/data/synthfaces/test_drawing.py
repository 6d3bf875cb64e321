"""SynthFaces' drawing: pure, the same everywhere, and each attribute changes its own part of the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces import draw as drawing
from fairlab.data.synthfaces.canvas import Canvas
from fairlab.data.synthfaces.draw import SIZES, draw
from fairlab.data.synthfaces.factors import NUISANCE, Factors
from fairlab.data.synthfaces.look import SLOPES, Look
from fairlab.data.synthfaces.sheets import attribute_pairs, attribute_sheet, contact_sheet

REFERENCE = Path(__file__).parents[2] / "reference" / "synthfaces_12_faces_32px.npy"

#: Where (left, top, right, bottom, in head units) an attribute may change a face; all else must stay.
FRAME = (-9.0, -9.0, 9.0, 9.0)
FACE, HEAD, HAIR = (-0.62, -0.80, 0.62, 0.75), (-0.75, -0.80, 0.75, 0.80), (-1.1, -1.2, 1.1, 1.6)
JAW, EYES, MOUTH = (-0.62, -0.32, 0.62, 0.80), (-0.48, -0.40, 0.48, 0.20), (-0.35, 0.10, 0.35, 0.60)
PLACES: dict[str, tuple[float, float, float, float]] = {
    "5_o_Clock_Shadow": JAW, "Arched_Eyebrows": (-0.5, -0.5, 0.5, 0.05), "Attractive": FACE,
    "Bags_Under_Eyes": (-0.45, -0.15, 0.45, 0.20), "Bald": HAIR, "Bangs": (-0.62, -0.85, 0.62, 0.10),
    "Big_Lips": MOUTH, "Big_Nose": (-0.62, -0.25, 0.62, 0.40), "Black_Hair": HAIR, "Blond_Hair": HAIR,
    "Blurry": FRAME, "Brown_Hair": HAIR, "Bushy_Eyebrows": (-0.5, -0.5, 0.5, 0.05), "Chubby": FRAME,
    "Double_Chin": (-0.5, 0.35, 0.5, 0.95), "Eyeglasses": (-0.65, -0.35, 0.65, 0.25), "Goatee": JAW,
    "Gray_Hair": HAIR, "Heavy_Makeup": FRAME, "High_Cheekbones": FACE, "Male": FRAME,
    "Mouth_Slightly_Open": MOUTH, "Mustache": MOUTH, "Narrow_Eyes": EYES, "No_Beard": JAW,
    "Oval_Face": FRAME, "Pale_Skin": FRAME, "Pointy_Nose": (-0.62, -0.25, 0.62, 0.40),
    "Receding_Hairline": (-0.62, -0.85, 0.62, 0.20), "Rosy_Cheeks": (-0.55, -0.05, 0.55, 0.40),
    "Sideburns": JAW, "Smiling": (-0.62, -0.32, 0.62, 0.65), "Straight_Hair": HAIR, "Wavy_Hair": HAIR,
    "Wearing_Earrings": (-0.85, 0.0, 0.85, 0.50), "Wearing_Hat": (-1.1, -1.3, 1.1, 0.0),
    "Wearing_Lipstick": MOUTH, "Wearing_Necklace": (-0.5, 0.5, 0.5, 1.1),
    "Wearing_Necktie": (-1.0, 0.6, 1.0, 1.7), "Young": FRAME,
}  # fmt: skip

#: Attributes so faint, on purpose, that only their sum over the face tells.
SUBTLE = ("Attractive", "High_Cheekbones", "Pointy_Nose", "Straight_Hair", "Oval_Face")


def random_factors(n: int, seed: int = 0) -> Factors:
    generator = np.random.default_rng(seed)
    traits = generator.normal(-0.3, 1.2, (n, len(ATTRIBUTES))).astype(np.float32)
    return Factors(traits, generator.random((n, len(NUISANCE)), dtype=np.float32))


def upright(factors: Factors) -> Factors:
    """The same faces centred, straight and unblurred: head units are (frame + 0.055) / 1.115."""
    nuisance = factors.nuisance.copy()
    for name in ("shift_x", "shift_y", "roll", "scale"):
        nuisance[:, NUISANCE.index(name)] = 0.5
    nuisance[:, NUISANCE.index("blur")] = 0.0
    return Factors(factors.traits, nuisance)


def differences(first: Factors, second: Factors, size: int = 64) -> np.ndarray:
    """Largest channel difference per pixel, (n, size, size)."""
    return np.abs(draw(first, size).astype(int) - draw(second, size)).max(-1)


def test_every_attribute_has_a_slope_and_a_place() -> None:
    assert set(SLOPES) == set(PLACES) == set(ATTRIBUTES)


@pytest.mark.parametrize("size", SIZES)
def test_shape_type_and_range(size: int) -> None:
    pictures = draw(random_factors(5), size)
    assert pictures.shape == (5, size, size, 3)
    assert pictures.dtype == np.uint8
    assert np.ptp(pictures, axis=(1, 2, 3)).min() > 60, "a face is nearly empty"


def test_no_faces_give_no_pictures() -> None:
    assert draw(random_factors(0)).shape == (0, 64, 64, 3)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(UserError, match="48"):
        draw(random_factors(1), 48)


def test_pure_and_blind_to_global_random_state() -> None:
    factors = random_factors(20)
    before = factors.traits.copy(), factors.nuisance.copy()
    torch.manual_seed(1)
    first = draw(factors)
    torch.manual_seed(2)
    np.testing.assert_array_equal(first, draw(factors))
    np.testing.assert_array_equal(before[0], factors.traits)
    np.testing.assert_array_equal(before[1], factors.nuisance)


def test_threads_are_left_as_they_were() -> None:
    before = torch.get_num_threads()
    draw(random_factors(3))
    assert torch.get_num_threads() == before


def test_a_picture_does_not_depend_on_its_batch() -> None:
    factors = random_factors(70)  # more than one chunk
    together = draw(factors)
    for i in (0, 13, 64, 69):
        np.testing.assert_allclose(draw(factors[i])[0], together[i].astype(int), atol=1)


def test_same_pictures_as_ever() -> None:
    reference = np.load(REFERENCE, allow_pickle=False)
    np.testing.assert_allclose(
        draw(random_factors(len(reference), seed=7), 32), reference.astype(int), atol=1
    )


@pytest.mark.parametrize("size", [32, 64])
def test_sizes_show_the_same_picture(size: int) -> None:
    factors = random_factors(24)
    large = draw(factors, 2 * size).astype(float)
    halved = large.reshape(24, size, 2, size, 2, 3).mean((2, 4))
    error = np.abs(halved - draw(factors, size)).mean((1, 2, 3))
    assert error.max() < 9.0
    assert error.mean() < 6.0


def test_regions_cut_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    factors = random_factors(40, seed=3)
    cropped = draw(factors)
    monkeypatch.setattr(Canvas, "_window", lambda self, *box: (slice(0, self.size), slice(0, self.size)))
    np.testing.assert_allclose(draw(factors), cropped.astype(int), atol=1)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_changes_its_place_and_nothing_else(name: str) -> None:
    pairs = upright(attribute_pairs([name] * 6, strength=1.5))
    changed = differences(pairs[0::2], pairs[1::2])
    left, top, right, bottom = PLACES[name]
    frame = (np.arange(64) + 0.5) / 32 - 1
    head_x, head_y = frame / 1.115, (frame + 0.055) / 1.115
    place = ((head_y >= top) & (head_y <= bottom))[:, None] & ((head_x >= left) & (head_x <= right))
    assert changed[:, ~place].sum() == 0
    visible = (changed[:, place] > 12).sum(1)
    assert visible.min() >= (6 if name in SUBTLE else 10), f"{name} hardly shows: {visible} pixels"


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_strength_is_smooth(name: str) -> None:
    """No jump: a hundredth of a step in the trait moves no pixel far, and more strength shows more."""
    face = upright(attribute_pairs([name]))[0]
    here, near = face.with_trait(name, 0.10), face.with_trait(name, 0.11)
    assert differences(here, near).max() <= 25
    shown = [
        differences(face.with_trait(name, -3.0), face.with_trait(name, t)).sum() for t in (-0.5, 0.0, 0.5)
    ]
    assert shown[0] < shown[1] < shown[2]


def test_counterfactual_changes_one_trait_and_mirrors() -> None:
    factors = random_factors(50)
    with_hat = factors.with_attribute("Wearing_Hat", True)
    without = with_hat.with_attribute("Wearing_Hat", False)
    column = ATTRIBUTES.index("Wearing_Hat")
    assert with_hat.truth[:, column].all()
    assert not without.truth[:, column].any()
    np.testing.assert_allclose(np.abs(with_hat.traits), np.abs(factors.traits), atol=1e-3)
    np.testing.assert_array_equal(np.delete(with_hat.traits, column, 1), np.delete(factors.traits, column, 1))
    np.testing.assert_array_equal(with_hat.nuisance, factors.nuisance)


def test_a_bald_head_has_no_bangs() -> None:
    bald = upright(random_factors(20)).with_trait("Bald", 3.0)
    changed = differences(bald.with_trait("Bangs", -3.0), bald.with_trait("Bangs", 3.0))
    assert changed.max() <= 2


def test_a_hat_hides_the_top_of_the_hair() -> None:
    hatted = upright(random_factors(20)).with_trait("Wearing_Hat", 2.0).with_trait("Blurry", -3.0)
    changed = differences(hatted.with_trait("Black_Hair", -3.0), hatted.with_trait("Black_Hair", 3.0))
    assert changed[:, :12, 24:40].max() <= 6


def test_one_hair_colour_at_a_time() -> None:
    names = ["Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"]
    faces = random_factors(1)
    for name in names:
        faces = faces.with_trait(name, -3.0)
    colours = {n: _hair(faces.with_trait(n, 3.0)) for n in names} | {"other": _hair(faces)}
    for first in colours:
        for second in colours:
            if first != second:
                assert np.abs(colours[first] - colours[second]).max() > 0.08, (first, second)
    both = _hair(faces.with_trait("Black_Hair", 3.0).with_trait("Blond_Hair", 3.0))
    np.testing.assert_allclose(both, (colours["Black_Hair"] + colours["Blond_Hair"]) / 2, atol=0.02)


def _hair(faces: Factors) -> np.ndarray:
    return Look(torch.from_numpy(faces.traits), torch.from_numpy(faces.nuisance)).hair[0].numpy()


def test_skin_tone_is_wide_and_free_of_the_attributes() -> None:
    factors = random_factors(400).with_trait("Pale_Skin", -3.0).with_trait("Heavy_Makeup", -3.0)
    skin = Look(torch.from_numpy(factors.traits), torch.from_numpy(factors.nuisance)).skin.mean(1).numpy()
    assert skin.min() < 0.30
    assert skin.max() > 0.75
    free = [i for i, name in enumerate(ATTRIBUTES) if name not in ("Pale_Skin", "Heavy_Makeup")]
    assert np.abs(np.corrcoef(np.c_[skin, factors.traits[:, free]].T)[0, 1:]).max() < 0.2


def test_every_nuisance_column_moves_something() -> None:
    faces = random_factors(40, seed=5)
    pictures = draw(faces, 32)
    for column, name in enumerate(NUISANCE):
        nuisance = faces.nuisance.copy()
        nuisance[:, column] = (nuisance[:, column] + 0.5) % 1
        moved = (draw(Factors(faces.traits, nuisance), 32) != pictures).any()
        assert moved != name.startswith("spare"), name


def test_contact_sheet_lays_out_rows() -> None:
    pictures = draw(random_factors(5), 32)
    sheet = np.asarray(contact_sheet(pictures, columns=3))
    assert sheet.shape == (32 * 2 + 2, 32 * 3 + 4, 3)
    np.testing.assert_array_equal(sheet[34:66, 34:66], pictures[4])


def test_attribute_sheet_shows_all_attributes() -> None:
    sheet = attribute_sheet(random_factors(16), size=32)
    assert sheet.width == 16 * 34 - 2
    assert sheet.height > 5 * 32


def test_factors_of_wrong_shape_are_refused() -> None:
    with pytest.raises(UserError, match="40"):
        Factors(np.zeros((2, 39), np.float32), np.zeros((2, len(NUISANCE)), np.float32))


def test_misspelt_attribute_is_refused() -> None:
    with pytest.raises(UserError, match="Smiling"):
        random_factors(1).with_attribute("Smilling", True)


def test_drawing_survives_an_error_with_threads_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr(drawing.finish, "noise", lambda canvas, look: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        draw(random_factors(3))
    assert torch.get_num_threads() == before
