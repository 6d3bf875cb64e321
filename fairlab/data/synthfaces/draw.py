"""From factors to pictures: the order in which a face is painted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from fairlab.core.errors import UserError
from fairlab.data.synthfaces import face, features, finish, hair, wearables
from fairlab.data.synthfaces.canvas import Canvas
from fairlab.data.synthfaces.factors import Factors
from fairlab.data.synthfaces.look import Look

SIZES = (32, 64, 128)

#: Pixels painted at once: few enough that a layer stays in the processor's cache.
_CHUNK_PIXELS = 64 * 64 * 64


def draw(factors: Factors, size: int = 64) -> np.ndarray:
    """Draw faces: a pure function, the same picture for the same factors on every machine.

    Parameters
    ----------
    factors : Factors
        Traits and nuisance of n faces.
    size : int
        Width and height in pixels: 32, 64 or 128.

    Returns
    -------
    np.ndarray
        Shape (n, size, size, 3), uint8. Each picture depends on its own factors only; float32 rounding
        can differ by 1 level between machines or batches.

    Raises
    ------
    UserError
        If the size is another.

    Examples
    --------
    >>> from fairlab.data.synthfaces.law import sample_factors
    >>> draw(sample_factors(2, seed=0), size=32).shape
    (2, 32, 32, 3)
    """
    if size not in SIZES:
        raise UserError(f"SynthFaces are drawn at {SIZES} pixels, not {size}; choose one of these sizes.")
    traits, nuisance = torch.from_numpy(factors.traits).float(), torch.from_numpy(factors.nuisance).float()
    pictures = np.empty((len(factors), size, size, 3), np.uint8)
    chunk = max(1, _CHUNK_PIXELS // size**2)

    def draw_chunk(start: int) -> None:
        rows = slice(start, start + chunk)
        with torch.inference_mode():
            rgb = paint(Look(traits[rows], nuisance[rows]), size)  # (chunk, 3, size, size)
            pictures[rows] = (rgb.clamp_(0, 1) * 255).round_().byte().permute(0, 2, 3, 1).numpy()

    _in_threads(draw_chunk, range(0, len(factors), chunk))
    return pictures


def _in_threads(task: Callable[[int], None], starts: range) -> None:
    """Run `task` for every start, one thread per core, each with single-threaded torch operations.

    The layers are so small that splitting each of them over the cores costs more than it saves.
    """
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(task, starts))
    finally:
        torch.set_num_threads(threads)


def paint(look: Look, size: int) -> Tensor:
    """Paint the layers from the wall to the lens; (n, 3, size, size) float32, not yet clipped to 0..1."""
    canvas = Canvas(look.pose, size)
    face.background(canvas, look)
    locks = hair.Hair(canvas, look)
    locks.behind()
    face.neck(canvas, look)
    _where(look, canvas, "Double_Chin", face.second_chin)
    wearables.clothes(canvas, look)
    _where(look, canvas, "Wearing_Necktie", wearables.necktie)
    _where(look, canvas, "Wearing_Necklace", wearables.necklace)
    face.ears(canvas, look)
    face.head(canvas, look)
    _where(look, canvas, "Double_Chin", face.double_chin)
    _on(look.old > 0, look, canvas, face.age)
    features.nose(canvas, look)
    features.mouth(canvas, look)
    _on(hair.has_facial_hair(look), look, canvas, hair.facial_hair)
    features.eyes(canvas, look)
    features.brows(canvas, look)
    locks.in_front()
    _where(look, canvas, "Wearing_Earrings", wearables.earrings)
    _where(look, canvas, "Eyeglasses", wearables.glasses)
    _where(look, canvas, "Wearing_Hat", wearables.hat)
    finish.expose(canvas, look)
    finish.blur(canvas, look)
    finish.noise(canvas, look)
    return canvas.rgb


Layer = Callable[[Canvas, Look], None]


def _where(look: Look, canvas: Canvas, name: str, layer: Layer) -> None:
    """Paint a layer on the faces that show attribute `name` at all."""
    _on(look.present(name) > 0, look, canvas, layer)


def _on(shown: Tensor, look: Look, canvas: Canvas, layer: Layer) -> None:
    """Paint a layer on the faces for which `shown` (n, 1, 1) holds: most faces lack most extras."""
    rows = torch.nonzero(shown[:, 0, 0])[:, 0]
    if len(rows):
        part = canvas.take(rows)
        layer(part, look[rows])
        canvas.put(rows, part)
