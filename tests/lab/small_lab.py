"""A lab of coloured squares, for the tests of widgets: three numbers of a latent are the colour."""

from __future__ import annotations

import re

import numpy as np
import torch
from torch import Tensor, nn

from fairlab.generators import ModuleGenerator, generate
from fairlab.lab.renderer import Renderer
from fairlab.latent import Hyperplane

LATENT_DIM, RESOLUTION = 8, 16
THRESHOLDS = {"Smiling": 0.5, "Male": 0.5}


class Squares(nn.Module):
    """(n, 8) latents to squares (n, 3, 16, 16): red, green and blue follow the first three numbers.

    Attributes
    ----------
    calls : int
        How often it has drawn.
    broken : bool
        Whether it raises instead.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.broken = False

    def forward(self, z: Tensor) -> Tensor:
        if self.broken:
            raise RuntimeError("the pencil <broke>")
        self.calls += 1
        return torch.tanh(0.5 * z[:, :3])[:, :, None, None].expand(-1, -1, RESOLUTION, RESOLUTION)


def generator() -> ModuleGenerator:
    return ModuleGenerator(Squares(), LATENT_DIM, RESOLUTION)


def red(images: np.ndarray) -> np.ndarray:
    """Score images by how red they are, (n,)."""
    return images[..., 0].mean(axis=(1, 2)) / 255


def green(images: np.ndarray) -> np.ndarray:
    return images[..., 1].mean(axis=(1, 2)) / 255


def planes(*names: str) -> dict[str, Hyperplane]:
    """Return hyperplanes whose normals lean towards each other, so that walks have something to keep."""
    known = {
        "Smiling": Hyperplane(np.array([1.0, 0.3, 0, 0.2, 0, 0, 0, 0]), 0.1),
        "Male": Hyperplane(np.array([0.5, 1.0, 0, 0, 0.4, 0, 0, 0]), -0.2),
        "Wearing_Hat": Hyperplane(np.array([0, 0.4, 1.0, 0, 0, 0.3, 0, 0]), 0.3),
    }
    return {name: known[name] for name in names or known}


def renderer(*names: str) -> Renderer:
    """Return a renderer with the two classifiers and the named planes, all three if none is named."""
    return Renderer(generator(), {"Smiling": red, "Male": green}, planes(*names), thresholds=THRESHOLDS)


def drawn(z: np.ndarray) -> np.ndarray:
    """Return the squares of latents as the renderer should draw them, (n, 16, 16, 3) uint8."""
    return generate(generator(), np.round(np.atleast_2d(z).astype(float), 4), progress=False)


def walked(z: np.ndarray, steps: dict[str, float]) -> np.ndarray:
    """Return latents (n, d) moved so that each of the three distances changes by its step, by the formula."""
    normals = np.stack([plane.normal for plane in planes().values()])  # (3, d)
    wanted = np.array([steps.get(name, 0.0) for name in planes()])
    return z + np.linalg.inv(normals @ normals.T) @ wanted @ normals


def bars(html: str) -> dict[str, list[str]]:
    """Return the numbers beside bars, by name; scores come before distances."""
    rows = re.findall(r"<span>([^<]*)</span>.*?<span style=\"font-variant[^>]*>([^<]*)</span></div>", html)
    found: dict[str, list[str]] = {}
    for name, text in rows:
        found.setdefault(name, []).append(text)
    return found


def cells(html: str) -> dict[str, list[str]]:
    """Return the texts of a table's rows, by their first cell."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    texts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return {first: rest for first, *rest in texts}
