"""Pictures of any kind as 8-bit RGB: deep pixels by the range of the whole set, alpha over white."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from fairlab.core.errors import UserError

#: Largest values that cameras write: of numbers with a fraction, of 8, 10, 12, 14 and 16 bits.
FULL_SCALES = (1, 255, 1_023, 4_095, 16_383, 65_535)
WITH_FRACTIONS = "F"  # Pillow's mode of float32 pixels
#: Endings of formats that may hold more than 8 bits a channel; others need not be looked into.
_MAY_BE_DEEP = (".png", ".tif", ".tiff", ".pgm", ".pnm", ".im", ".jp2", ".j2k", ".hdr", ".pfm")
_PNG, _PNG_DEPTH = b"\x89PNG\r\n\x1a\n", 24  # where a PNG says how many bits a channel has


def is_deep(path: Path) -> bool:
    """Whether a file has grey pixels of more than 8 bits; only its first bytes are read."""
    if not path.name.lower().endswith(_MAY_BE_DEEP):
        return False
    with open(path, "rb") as stream:
        start = stream.read(_PNG_DEPTH + 1)
    if start.startswith(_PNG) and start[_PNG_DEPTH:] != b"\x10":
        return False
    try:
        with Image.open(path) as image:
            return image.mode[0] in ("I", WITH_FRACTIONS)
    except Exception:  # broken files are told when they are decoded
        return False


def full_scale(pictures: Iterable[bytes]) -> float:
    """Return the value that becomes white: the least of `FULL_SCALES` that no pixel of a set exceeds.

    Of pixels without fractions it is at least 255. One scale serves all, so that a dark picture stays dark.

    Raises
    ------
    UserError
        If there are pixels below 0 or above 65,535, or that are no numbers.
    """
    largest, fractions = 0.0, False
    for content in pictures:
        try:
            image = Image.open(BytesIO(content))
            pixels = np.asarray(image, dtype=np.float64)
        except Exception:  # broken: see `is_deep`
            continue
        fractions |= image.mode == WITH_FRACTIONS
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= FULL_SCALES[-1]):
            raise UserError(
                f"There are pixels of {pixels.min():g} to {pixels.max():g}, and nothing says how bright; "
                "save the pictures with values of 0 to 1, or with 8 or 16 bits."
            )
        largest = max(largest, float(pixels.max()))
    known = FULL_SCALES if fractions else FULL_SCALES[1:]
    return float(next(scale for scale in known if scale >= largest))


def as_rgb(image: Image.Image, white: float = 65_535.0) -> Image.Image:
    """Return a picture of 8-bit RGB: deep pixels are scaled, `white` becoming 255; alpha lies on white."""
    if image.mode[0] in ("I", WITH_FRACTIONS):  # Pillow's own conversion would clip them
        scaled = np.clip(np.asarray(image, dtype=np.float64) * (255 / white), 0, 255)
        return Image.fromarray(np.rint(scaled).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    return image.convert("RGB")
