"""The numbers that determine a SynthFaces picture completely: forty traits and the nuisance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES, check_attribute

#: Columns of `Factors.nuisance`, each an independent uniform in [0, 1), and what it moves.
NUISANCE: tuple[str, ...] = (
    "shift_x",  # head left or right in the frame
    "shift_y",  # head up or down in the frame
    "roll",  # tilt of the head
    "yaw",  # turn of the head
    "scale",  # size of the head in the frame
    "light_angle",  # direction the light comes from
    "light_strength",  # how much darker the far side is
    "light_warmth",  # colour temperature of the light
    "exposure",  # overall brightness
    "contrast",  # overall contrast
    "background_hue",  # background colour
    "background_saturation",  # background colour
    "background_value",  # background colour
    "background_angle",  # direction of the background's gradient
    "background_pattern",  # kind and position of soft shapes in the background
    "skin_tone",  # light to dark, independent of every attribute but Pale_Skin
    "skin_undertone",  # rosy to olive
    "iris",  # eye colour
    "face_length",  # length of the face
    "face_width",  # width of the face
    "eye_size",  # opening of the eyes
    "eye_distance",  # distance between the eyes
    "gaze",  # where the eyes look
    "brow_height",  # height of the eyebrows
    "brow_tilt",  # slant of the eyebrows
    "nose_length",  # length of the nose
    "mouth_width",  # width of the mouth
    "mouth_height",  # height of the mouth in the face
    "ear_size",  # size of the ears
    "hair_shade",  # shade within the label's colour
    "hair_other",  # which colour when no hair-colour trait is positive
    "hair_length",  # short or long, with a tendency by gender
    "hair_end",  # where long hair ends
    "hair_volume",  # how far the hair stands off the head
    "hair_parting",  # where the hair parts
    "hair_phase",  # position of strands and waves
    "hairline",  # height of the forehead
    "beard_style",  # extent of a full beard
    "glasses_style",  # round, square or dark
    "glasses_colour",  # colour of the frame
    "hat_style",  # cap, beanie or brimmed hat
    "hat_hue",  # colour of the hat
    "hat_value",  # colour of the hat
    "earring_style",  # stud, drop or hoop
    "jewel_colour",  # gold to silver, or a stone
    "necklace_style",  # chain, beads or pendant
    "lipstick_hue",  # shade of the lipstick
    "makeup_hue",  # shade of the eyeshadow
    "clothing_hue",  # colour of the clothes
    "clothing_saturation",  # colour of the clothes
    "clothing_value",  # colour of the clothes
    "collar",  # round neck, v-neck or shirt collar
    "tie_hue",  # colour of the necktie
    "tie_style",  # plain or striped necktie
    "blur",  # slight blur of the lens
    "noise_level",  # strength of the sensor noise
    "noise_seed",  # which sensor noise
    "spare_1",  # moves nothing: kept so that a new use does not reshuffle the others
    "spare_2",
    "spare_3",
)


@dataclass(frozen=True)
class Factors:
    """Everything that determines the pictures of n faces.

    Attributes
    ----------
    traits : np.ndarray
        Shape (n, 40), float32: signed strength of each attribute in the order of `ATTRIBUTES`, in
        standard deviations from the threshold of the label law (about -4 to 4). Above 0 the attribute
        is present.
    nuisance : np.ndarray
        Shape (n, len(NUISANCE)), float32, uniform in [0, 1): what varies freely of every attribute.

    Raises
    ------
    UserError
        If a shape does not fit.
    """

    traits: np.ndarray
    nuisance: np.ndarray

    def __post_init__(self) -> None:
        n = len(self.traits)
        wanted = (n, len(ATTRIBUTES)), (n, len(NUISANCE))
        if (self.traits.shape, self.nuisance.shape) != wanted:
            raise UserError(
                f"Factors need traits and nuisance of shapes {wanted[0]} and {wanted[1]}, "
                f"not {self.traits.shape} and {self.nuisance.shape}."
            )

    def __len__(self) -> int:
        return len(self.traits)

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray) -> Factors:
        """The chosen faces; a single number gives a `Factors` of one face."""
        rows = [index] if isinstance(index, int | np.integer) else index
        return Factors(self.traits[rows], self.nuisance[rows])

    @property
    def truth(self) -> np.ndarray:
        """Shape (n, 40), uint8: 1 where the attribute is present."""
        return (self.traits > 0).astype(np.uint8)

    def trait(self, name: str) -> np.ndarray:
        """Shape (n,), float32: the strength of one attribute."""
        return self.traits[:, ATTRIBUTES.index(check_attribute(name))]

    def with_attribute(self, name: str, present: bool) -> Factors:
        """The same faces with one attribute present, or absent: exact counterfactuals.

        Only that attribute's trait changes, and only where it has the wrong sign: it is mirrored
        across 0, so that what was clear stays clear and what was borderline stays borderline.
        """
        sign = 1.0 if present else -1.0
        strength = np.maximum(np.abs(self.trait(name)), 1e-3)  # exactly 0 would count as absent
        return self.with_trait(name, sign * strength)

    def with_trait(self, name: str, strength: float | np.ndarray) -> Factors:
        """The same faces with one trait set to `strength` (a number, or shape (n,))."""
        traits = self.traits.copy()
        traits[:, ATTRIBUTES.index(check_attribute(name))] = strength
        return replace(self, traits=traits)
