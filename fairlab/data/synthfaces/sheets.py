"""Contact sheets: many faces in one picture, and every attribute without and with."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.factors import NUISANCE, Factors

_GAP = 2
_PAPER, _INK = (255, 255, 255), (30, 30, 30)

#: Attributes shown on a man in the attribute sheet: they are rare on, or hidden by the hair of, women.
_ON_MEN = ("5_o_Clock_Shadow", "Bald", "Goatee", "Mustache", "No_Beard", "Receding_Hairline", "Sideburns", "Wearing_Necktie")  # fmt: skip  # noqa: E501

_HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair")

#: Attributes that would hide others, or that are told by the other pairs: absent from the demonstration.
_HIDING = ("5_o_Clock_Shadow", "Bald", "Bangs", "Blurry", "Goatee", "Eyeglasses", "Mustache", "Rosy_Cheeks", "Sideburns", "Wearing_Hat", "Wearing_Necktie")  # fmt: skip  # noqa: E501


def contact_sheet(pictures: np.ndarray, columns: int) -> Image.Image:
    """Lay pictures out row by row.

    Parameters
    ----------
    pictures : np.ndarray
        Shape (n, h, w, 3), uint8.
    columns : int
        Pictures per row.
    """
    n, height, width, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + _GAP), i % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return Image.fromarray(sheet)


def attribute_pairs(names: Sequence[str] = ATTRIBUTES, *, strength: float = 1.5, seed: int = 0) -> Factors:
    """Plain faces, two per attribute: the same face without it and with it, nothing else changed."""
    generator = np.random.default_rng(seed)
    n = len(names)
    nuisance = generator.random((n, len(NUISANCE)), dtype=np.float32)
    for factor, value in {"blur": 0.0, "noise_level": 0.0, "yaw": 0.5, "exposure": 0.7}.items():
        nuisance[:, NUISANCE.index(factor)] = value
    nuisance[:, NUISANCE.index("skin_tone")] = np.linspace(0.25, 0.9, n)[generator.permutation(n)]
    traits = generator.normal(-1.2, 0.4, (n, len(ATTRIBUTES))).astype(np.float32)
    faces = Factors(traits, nuisance)
    male = np.where(np.isin(names, _ON_MEN), 2.0, generator.choice([-2.0, 2.0], n))
    faces = faces.with_trait("Male", male).with_trait("Young", 1.5).with_trait("No_Beard", 2.0)
    for hidden in _HIDING:
        faces = faces.with_trait(hidden, -3.0)
    colour = generator.choice(_HAIR_COLOURS, n)
    for shown in _HAIR_COLOURS:
        other = (colour == shown) & ~np.isin(names, _HAIR_COLOURS)
        faces = faces.with_trait(shown, np.where(other, 1.5, -2.0))
    pairs = faces[np.repeat(np.arange(n), 2)]
    for i, attribute in enumerate(names):
        column = ATTRIBUTES.index(attribute)
        pairs.traits[2 * i : 2 * i + 2, column] = -strength, strength
    return pairs


def attribute_sheet(random_faces: Factors, *, size: int = 64, pairs_per_row: int = 8) -> Image.Image:
    """The README's figure: random faces, then every attribute without and with, named.

    Parameters
    ----------
    random_faces : Factors
        Faces for the upper part; whole rows of two per pair look best.
    size : int
        Side of a face in pixels: 32, 64 or 128.
    pairs_per_row : int
        Attributes beside each other.
    """
    upper = contact_sheet(draw(random_faces, size), 2 * pairs_per_row)
    pictures = draw(attribute_pairs(), size)
    letters = max(9, size // 6)
    font = ImageFont.load_default(size=letters)
    caption = 2 * letters
    cell_width, cell_height = 2 * (size + _GAP), size + caption
    rows = -(-len(ATTRIBUTES) // pairs_per_row)
    sheet = Image.new("RGB", (upper.width, upper.height + 4 * _GAP + rows * cell_height), _PAPER)
    sheet.paste(upper, (0, 0))
    pen = ImageDraw.Draw(sheet)
    for i, name in enumerate(ATTRIBUTES):
        left = i % pairs_per_row * cell_width
        top = upper.height + 4 * _GAP + i // pairs_per_row * cell_height
        sheet.paste(contact_sheet(pictures[2 * i : 2 * i + 2], 2), (left, top + caption))
        pen.text((left + 1, top + caption // 4), name, fill=_INK, font=font)
    return sheet
