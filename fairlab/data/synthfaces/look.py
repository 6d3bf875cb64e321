"""From factors to measurements: how strongly each trait shows, and the sizes and colours that follow."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.canvas import Pose, mix, smoothstep
from fairlab.data.synthfaces.factors import NUISANCE

#: How fast an attribute goes from invisible to full as its trait crosses 0: visibility is
#: sigmoid(slope * trait). Lower is harder. This table is where the difficulty of the data set is tuned.
SLOPES: dict[str, float] = {
    "5_o_Clock_Shadow": 4.0, "Arched_Eyebrows": 4.0, "Attractive": 2.5, "Bags_Under_Eyes": 4.5,
    "Bald": 6.0, "Bangs": 5.0, "Big_Lips": 3.5, "Big_Nose": 3.0, "Black_Hair": 4.0, "Blond_Hair": 6.0,
    "Blurry": 4.0, "Brown_Hair": 6.0, "Bushy_Eyebrows": 4.0, "Chubby": 5.0, "Double_Chin": 6.0,
    "Eyeglasses": 8.0, "Goatee": 6.0, "Gray_Hair": 7.0, "Heavy_Makeup": 3.0, "High_Cheekbones": 3.0,
    "Male": 2.6, "Mouth_Slightly_Open": 2.2, "Mustache": 6.0, "Narrow_Eyes": 6.0, "No_Beard": 5.0,
    "Oval_Face": 3.0, "Pale_Skin": 6.0, "Pointy_Nose": 4.0, "Receding_Hairline": 7.0,
    "Rosy_Cheeks": 4.0, "Sideburns": 6.0, "Smiling": 2.0, "Straight_Hair": 4.0, "Wavy_Hair": 4.0,
    "Wearing_Earrings": 6.0, "Wearing_Hat": 8.0, "Wearing_Lipstick": 3.0, "Wearing_Necklace": 6.0,
    "Wearing_Necktie": 8.0, "Young": 3.0,
}  # fmt: skip

_SKIN = ((0.36, 0.235, 0.17), (0.50, 0.335, 0.245), (0.64, 0.45, 0.335), (0.77, 0.57, 0.44), (0.87, 0.69, 0.565), (0.94, 0.79, 0.69))  # fmt: skip  # noqa: E501
_IRIS = ((0.16, 0.09, 0.05), (0.26, 0.15, 0.07), (0.40, 0.27, 0.12), (0.30, 0.40, 0.26), (0.28, 0.44, 0.56), (0.42, 0.50, 0.55))  # fmt: skip  # noqa: E501
_BLACK, _BROWN = ((0.05, 0.05, 0.06), (0.13, 0.11, 0.11)), ((0.27, 0.16, 0.09), (0.42, 0.27, 0.16))
_BLOND, _GRAY = ((0.72, 0.55, 0.29), (0.93, 0.82, 0.58)), ((0.50, 0.50, 0.52), (0.80, 0.80, 0.81))
_OTHER = ((0.31, 0.11, 0.08), (0.43, 0.18, 0.11), (0.47, 0.27, 0.17), (0.47, 0.36, 0.26))


class Look:
    """Measurements of n faces, from the strengths of their traits and their nuisance.

    Every number is a tensor of shape (n, 1, 1), ready to meet pixels; every colour has shape (n, 3).
    Lengths are in head units (see `canvas`).
    """

    def __init__(self, traits: Tensor, nuisance: Tensor) -> None:
        self.traits, self.nuisance = traits, nuisance  # (n, 40), (n, len(NUISANCE))
        slopes = torch.tensor([SLOPES[name] for name in ATTRIBUTES])
        self.shown = torch.sigmoid(traits * slopes)

    def __getitem__(self, rows: Tensor) -> Look:
        return Look(self.traits[rows], self.nuisance[rows])

    def __len__(self) -> int:
        return len(self.traits)

    def show(self, name: str) -> Tensor:
        """How far attribute `name` shows, 0 to 1; 0.5 on the border."""
        return self.shown[:, ATTRIBUTES.index(name), None, None]

    def present(self, name: str) -> Tensor:
        """As `show`, but with the faint tail cut to exactly 0, so that most faces need no painting."""
        return ((self.show(name) - 0.06) / 0.9).clamp(0, 1)

    def worn(self, name: str) -> tuple[Tensor, Tensor]:
        """How opaque an object is (0 to 1 close around the border) and how large (0 to 1, slowly)."""
        trait = self.traits[:, ATTRIBUTES.index(name), None, None]
        return smoothstep(self.present(name), 0.2, 0.75), torch.sigmoid(2.0 * trait - 0.6)

    def free(self, name: str, low: float = 0.0, high: float = 1.0) -> Tensor:
        """A nuisance factor, stretched to low..high."""
        return mix(low, high, self.nuisance[:, NUISANCE.index(name), None, None])

    @cached_property
    def pose(self) -> Pose:
        return Pose(
            shift_x=self.free("shift_x", -0.07, 0.07),
            shift_y=self.free("shift_y", -0.11, 0.0),
            roll=self.free("roll", -0.13, 0.13),
            scale=self.free("scale", 1.04, 1.19),
        )

    # --- proportions -----------------------------------------------------------------------------
    @cached_property
    def male(self) -> Tensor:
        return self.show("Male")

    @cached_property
    def old(self) -> Tensor:
        return smoothstep(1 - self.show("Young"), 0.12, 0.95)

    @cached_property
    def turn(self) -> Tensor:
        """How far the features shift sideways because the head is turned."""
        return self.free("yaw", -0.07, 0.07)

    @cached_property
    def uneven(self) -> Tensor:
        """Lack of symmetry: -1 to 1, near 0 for attractive faces."""
        return (1 - 0.9 * self.show("Attractive")) * self.free("brow_tilt", -1.0, 1.0)

    @cached_property
    def half_width(self) -> Tensor:
        chubby, oval = self.show("Chubby"), self.show("Oval_Face")
        return (
            0.455
            + self.free("face_width", -0.02, 0.02)
            + 0.095 * chubby
            - 0.075 * (oval - 0.4)
            + 0.02 * self.male
        )

    @cached_property
    def chin(self) -> Tensor:
        longer = 0.085 * (self.show("Oval_Face") - 0.3) + 0.03 * self.male - 0.02 * self.show("Chubby")
        return 0.575 + longer + self.free("face_length", -0.03, 0.03)

    @cached_property
    def jaw(self) -> Tensor:
        """Squareness of the lower face: 2 is an ellipse."""
        square = 0.80 * self.male + 0.45 * self.show("Chubby") - 0.30 * self.show("Oval_Face")
        return 1.95 + square - 0.12 * self.show("Attractive") + 0.12 * self.old

    @cached_property
    def neck(self) -> Tensor:
        """Half the width of the neck."""
        return 0.215 + 0.085 * self.male + 0.04 * self.show("Chubby")

    @cached_property
    def eye_x(self) -> Tensor:
        return 0.200 + self.free("eye_distance", -0.012, 0.012)

    @cached_property
    def eye_y(self) -> Tensor:
        return torch.full_like(self.male, -0.07)

    @cached_property
    def eye_width(self) -> Tensor:
        return 0.100 - 0.010 * self.male + 0.016 * self.show("Attractive")

    @cached_property
    def eye_height(self) -> Tensor:
        full = (
            0.059
            - 0.015 * self.male
            + self.free("eye_size", -0.006, 0.006)
            + 0.005 * self.show("Young")
            + 0.014 * (self.show("Attractive") - 0.5)
        )
        return full * (1 - 0.66 * self.show("Narrow_Eyes")) * (1 - 0.12 * self.show("Smiling"))

    @cached_property
    def brow_y(self) -> Tensor:
        return self.eye_y - 0.152 + 0.036 * self.male + self.free("brow_height", -0.012, 0.012)

    @cached_property
    def nose_y(self) -> Tensor:
        longer = 0.02 * self.show("Big_Nose") + 0.015 * self.show("Pointy_Nose")
        return 0.145 + longer + self.free("nose_length", -0.015, 0.015)

    @cached_property
    def mouth_y(self) -> Tensor:
        return 0.325 + self.free("mouth_height", -0.012, 0.012) + 0.01 * self.male

    @cached_property
    def mouth_width(self) -> Tensor:
        wider = 0.055 * self.show("Smiling") + 0.012 * self.show("Big_Lips") + 0.008 * self.male
        return 0.135 + wider + self.free("mouth_width", -0.012, 0.012)

    @cached_property
    def hair_long(self) -> Tensor:
        """0 short to 1 long: women mostly long, men mostly short, with overlap."""
        return torch.sigmoid((self.free("hair_length") - 0.14 - 0.74 * self.male) * 14)

    @cached_property
    def hair_volume(self) -> Tensor:
        fuller = 0.035 * self.show("Wavy_Hair") - 0.025 * self.show("Straight_Hair") + 0.02 * self.hair_long
        return (0.045 + self.free("hair_volume", 0, 0.05) + fuller) * (1 - 0.6 * self.show("Bald"))

    # --- colours ---------------------------------------------------------------------------------
    @cached_property
    def skin(self) -> Tensor:
        tone = ramp(_SKIN, self.free("skin_tone")[:, 0])  # (n, 3)
        cast = self.free("skin_undertone", -1, 1)[:, 0] * torch.tensor([0.012, -0.004, -0.022])
        pale = torch.tensor([0.965, 0.905, 0.885])
        made_up = mix(tone + cast, torch.tensor([0.93, 0.73, 0.60]), 0.10 * self.show("Heavy_Makeup")[:, 0])
        return mix(made_up, pale, 0.85 * self.show("Pale_Skin")[:, 0])

    @cached_property
    def shadow(self) -> Tensor:
        """The skin's colour in shadow."""
        return self.skin * torch.tensor([0.70, 0.60, 0.56])

    @cached_property
    def hair(self) -> Tensor:
        names = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
        shade = self.free("hair_shade")[:, 0]
        colours = [ramp(pair, shade) for pair in (_BLACK, _BLOND, _BROWN, _GRAY)]
        weights = [self.show(name)[:, 0] ** 2 for name in names]
        none = torch.stack([1 - self.show(name)[:, 0] for name in names]).prod(0) ** 0.7
        total = sum(w * c for w, c in zip(weights, colours, strict=True)) + none * ramp(
            _OTHER, self.free("hair_other")[:, 0]
        )
        return total / (torch.stack(weights).sum(0) + none)

    @cached_property
    def beard(self) -> Tensor:
        """Facial hair and eyebrows are a little darker than the hair of the head."""
        return self.hair * torch.tensor([0.66, 0.60, 0.56])

    @cached_property
    def iris(self) -> Tensor:
        return ramp(_IRIS, self.free("iris")[:, 0])

    @cached_property
    def lips(self) -> Tensor:
        bare = self.skin * mix(
            torch.tensor([0.90, 0.66, 0.64]), torch.tensor([0.90, 0.72, 0.68]), self.male[:, 0]
        )
        full = mix(1.0, torch.tensor([1.06, 0.86, 0.88]), self.show("Attractive")[:, 0] - 0.3)
        painted = hsv(self.free("lipstick_hue", -0.08, 0.02), 0.80, self.free("skin_tone", 0.55, 0.80))
        return mix(bare * full, painted, 0.9 * self.show("Wearing_Lipstick")[:, 0])

    @cached_property
    def clothes(self) -> Tensor:
        saturation = self.free("clothing_saturation", 0.0, 0.55)
        return hsv(self.free("clothing_hue"), saturation, self.free("clothing_value", 0.12, 0.85))


def ramp(stops: tuple[tuple[float, float, float], ...], position: Tensor) -> Tensor:
    """Colours (n, 3) at `position` (n, 1) in 0..1 along evenly spaced stops."""
    table = torch.tensor(stops)
    place = (position[:, 0] * (len(stops) - 1)).clamp(0, len(stops) - 1)
    lower = place.floor().clamp(max=len(stops) - 2)
    first, second = table[lower.long()], table[lower.long() + 1]
    return mix(first, second, (place - lower)[:, None])


def hsv(hue: Tensor, saturation: Tensor | float, value: Tensor | float) -> Tensor:
    """Colours (n, 3) from hue (in turns), saturation and value, each a number or (n, 1, 1)."""
    offsets = torch.tensor([5.0, 3.0, 1.0])
    k = torch.remainder(offsets + 6 * hue[:, :, 0], 6)  # (n, 3)
    tooth = torch.minimum(k, 4 - k).clamp(0, 1)
    s = saturation[:, :, 0] if isinstance(saturation, Tensor) else saturation
    v = value[:, :, 0] if isinstance(value, Tensor) else value
    return v - v * s * tooth


def light(look: Look) -> tuple[Tensor, Tensor, Tensor]:
    """Direction (x, y) of the light and its strength, each (n, 1, 1)."""
    angle = look.free("light_angle", -0.42, 0.42) * math.pi
    return torch.sin(angle), -torch.cos(angle), look.free("light_strength", 0.12, 0.42)
