"""Pictures of any kind as 8-bit RGB: deep pixels by the range of the whole set, alpha over white."""

import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from fairlab.core.errors import UserError

#: Largest values that cameras write: of numbers with a fraction, of 8, 10, 12, 14 and 16 bits.
FULL_SCALES = (1, 255, 1_023, 4_095, 16_383, 65_535)
WITH_FRACTIONS = "F"  # Pillow's mode of float32 pixels
_DEEP_COLOUR = ("RGB;16", "RGBA;16")  # how Pillow says that colours are stored in 16 bits a channel
_PNG, _PNG_DEPTH = b"\x89PNG\r\n\x1a\n", 24  # where a PNG says how many bits a channel has
_NEVER_DEEP = (b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")  # JPEG, GIF, BMP and WebP begin so
_ROUNDING = 0.01  # of the range: what resampling puts beyond it, for numbers with a fraction
_LEAST = 16  # of a range of which less than a sixteenth is used, pictures would be black
# In the other byte order Pillow, which keeps the high bytes of colours, returns the low ones.
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def open_image(file: BytesIO) -> Image.Image:
    """Open an image.

    Raises
    ------
    ValueError
        If it is none that can be read.
    """
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        start = file.getvalue()[:12]
        if start[4:8] == b"ftyp" and start[8:11] in (b"hei", b"hev", b"mif", b"msf"):
            raise ValueError("HEIC is not read; save it as JPEG or PNG") from None
        what = "no image that can be read, such as JPEG or PNG" if start else "an empty file"
        raise ValueError(what) from None


def is_deep(path: Path) -> bool:
    """Whether a file has pixels of more than 8 bits a channel; of most only the first bytes are read."""
    with open(path, "rb") as stream:
        start = stream.read(_PNG_DEPTH + 1)
    if start.startswith(_NEVER_DEEP) or (start.startswith(_PNG) and start[_PNG_DEPTH:] != b"\x10"):
        return False
    try:
        with Image.open(path) as image:
            return _is_deep(image)
    except Exception:  # broken files are told when they are decoded
        return False


def deep_pixels(image: Image.Image, file: BytesIO) -> np.ndarray | None:
    """Return the numbers of a picture of more than 8 bits, (h, w) or (h, w, channels); None of any other.

    Parameters
    ----------
    image : Image
        Opened from `file`, and not yet loaded.
    """
    if not _is_deep(image):
        return None
    if image.mode[0] in ("I", WITH_FRACTIONS):
        return np.asarray(image)
    low = Image.open(BytesIO(file.getvalue()))
    low.tile = [_in_other_order(tile) for tile in low.tile]
    return np.asarray(image).astype(np.uint16) * 256 + np.asarray(low)


def full_scale(pictures: Iterable[tuple[str, bytes]]) -> float:
    """Return the value that becomes white: the least of `FULL_SCALES` that no pixel of a set exceeds.

    Of pixels without fractions it is at least 255; those with fractions may be a hundredth beyond. Where all
    pixels lie in the first sixteenth of the range, or between 1 and 16 with fractions, it is the largest of
    them. One scale serves all, so that a dark picture stays dark.

    Parameters
    ----------
    pictures : iterable of (str, bytes)
        Names and contents of the files.

    Raises
    ------
    UserError
        If there are pixels below 0 or above 65,535, or that are no numbers.
    """
    largest, fractions = 0.0, False
    for name, content in pictures:
        try:
            pixels = deep_pixels(Image.open(file := BytesIO(content)), file)
        except Exception:  # broken: see `is_deep`
            continue
        if pixels is None:
            continue
        colours = pixels[..., :3] if pixels.ndim == 3 else pixels  # without alpha
        fractions |= bool(np.issubdtype(pixels.dtype, np.floating))
        _check_range(name, colours, fractions)
        largest = max(largest, float(colours.max()))
    known = FULL_SCALES if fractions else FULL_SCALES[1:]
    slack = 1 + _ROUNDING if fractions else 1
    scale = next(scale for scale in known if scale * slack >= largest)
    return largest if 0 < largest * _LEAST < scale else float(scale)


def as_rgb(image: Image.Image) -> Image.Image:
    """Return a picture of 8-bit RGB; alpha lies on white."""
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", coloured.size, "white"), coloured).convert("RGB")
    return image.convert("RGB")


def scaled(pixels: np.ndarray, white: float) -> Image.Image:
    """Return deep pixels in 8 bits, `white` becoming 255; alpha, the fourth channel, is one of 16 bits."""
    full: float | list[float] = white
    if pixels.ndim == 3:
        full = [white, white, white, FULL_SCALES[-1]][: pixels.shape[2]]
    return Image.fromarray(np.rint((pixels * (255 / np.asarray(full))).clip(0, 255)).astype(np.uint8))


def _check_range(name: str, pixels: np.ndarray, fractions: bool) -> None:
    low, high, slack = pixels.min(), pixels.max(), 1 + _ROUNDING if fractions else 1
    least = -_ROUNDING * max(high, 1 if fractions else 0) if fractions else 0
    if not np.isfinite(pixels).all():
        what = "pixels that are no numbers"
    elif low < least or high > FULL_SCALES[-1] * slack:
        what = f"pixels of {low:g} to {high:g}, and nothing says how bright"
    else:
        return
    raise UserError(f"{name} has {what}; save the pictures with values of 0 to 1, or with 8 or 16 bits.")


def _is_deep(image: Image.Image) -> bool:
    if image.mode[0] in ("I", WITH_FRACTIONS):
        return True
    tiles = getattr(image, "tile", [])
    return bool(tiles) and _raw_mode(tiles[0]).startswith(_DEEP_COLOUR)


def _raw_mode(tile: Any) -> str:
    """Return how Pillow says that a part of a file is stored, such as "RGB;16B"."""
    mode = tile[3][0] if isinstance(tile[3], tuple) and tile[3] else tile[3]
    return mode if isinstance(mode, str) else ""


def _in_other_order(tile: Any) -> Any:
    mode, arguments = _raw_mode(tile), tile[3]
    mode = mode[:-1] + _OTHER_ORDER[mode[-1]]
    swapped = (mode, *arguments[1:]) if isinstance(arguments, tuple) else mode
    return tile._replace(args=swapped) if hasattr(tile, "_replace") else (*tile[:3], swapped)
