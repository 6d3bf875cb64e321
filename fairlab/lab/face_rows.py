"""A picture of faces in named rows, some of them framed."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

from fairlab.figures.style import FAINT, INK, VERMILION
from fairlab.lab.renderer import jpeg

FACE, GAP, MARGIN = 144, 9, 320  # pixels of a face, between faces, and of the words at the left


class FaceRow(NamedTuple):
    """Faces that have something in common.

    Attributes
    ----------
    name, detail : str
        What they have in common, and a second line in smaller print.
    images : (k, h, w, 3) uint8 array
        May be empty: the row then says so.
    framed : (k,) bool array
        Which faces get a frame.
    """

    name: str
    detail: str
    images: np.ndarray
    framed: np.ndarray


def face_rows(rows: Sequence[FaceRow], columns: int) -> bytes:
    """Return the rows one below the other as JPEG, as wide as `columns` faces and the rows' names need."""
    step = FACE + GAP
    sheet = Image.new("RGB", (MARGIN + columns * step, len(rows) * step + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for index, row in enumerate(rows):
        top = GAP + index * step
        _write(pen, top, row)
        for column, (image, framed) in enumerate(zip(row.images[:columns], row.framed, strict=False)):
            left = MARGIN + column * step
            face = Image.fromarray(image).resize((FACE, FACE), Image.Resampling.BICUBIC)
            sheet.paste(face, (left, top))
            if framed:
                box = (left - 3, top - 3, left + FACE + 2, top + FACE + 2)
                pen.rectangle(box, outline=VERMILION, width=6)
    return jpeg(sheet)


def _write(pen: ImageDraw.ImageDraw, top: int, row: FaceRow) -> None:
    middle = top + FACE // 2
    name, right = row.name, MARGIN - 2 * GAP
    size = 23
    while size > 12 and pen.textlength(name, _font(size, bold=True)) > right - GAP:
        size -= 1
    pen.text((right, middle - 4), name, INK, _font(size, bold=True), anchor="rs")
    pen.text((right, middle + 8), row.detail, INK, _font(19, bold=False), anchor="ra")
    if len(row.images) == 0:
        pen.text((MARGIN, middle), "no such face", FAINT, _font(19, bold=False), anchor="lm")


@lru_cache
def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    """Return the font of the lab's figures; matplotlib ships it."""
    properties = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return ImageFont.truetype(findfont(properties), size)
