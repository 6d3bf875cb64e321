"""A batch of pictures to paint on: soft-edged shapes given by their signed distance.

Lengths are in units of half the frame (the frame spans -1..1, x to the right, y down), measured in the
coordinates of each head: the head's shift, roll and scale are undone before a shape is evaluated. Edges are
one pixel wide at any size, so that 32, 64 and 128 px show the same picture without supersampling.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pose:
    """Placement of n heads in the frame; every field has shape (n, 1, 1)."""

    shift_x: Tensor
    shift_y: Tensor
    roll: Tensor  # radians
    scale: Tensor

    def __getitem__(self, index: Tensor) -> Pose:
        return Pose(self.shift_x[index], self.shift_y[index], self.roll[index], self.scale[index])


@dataclass(frozen=True)
class Region:
    """A rectangle of the canvas to paint in: views of its pixels and their head coordinates.

    `rgb` has shape (n, 3, h, w) and shares memory with the canvas; `x` and `y` have shape (n, h, w); `pixel`,
    the width of a pixel in head units, has shape (n, 1, 1).
    """

    rgb: Tensor
    x: Tensor
    y: Tensor
    pixel: Tensor
    window: tuple[slice, slice]

    def fill(self, distance: Tensor, soft: Tensor | float = 0.0) -> Tensor:
        """Coverage in 0..1 of the shape whose signed distance is given; edge one pixel wide, or `soft`."""
        width = torch.clamp(self.pixel, min=soft) if isinstance(soft, float) else self.pixel.maximum(soft)
        return (0.5 - distance / width).clamp_(0.0, 1.0)

    def line(self, distance: Tensor, width: Tensor | float) -> Tensor:
        """Coverage of a line along distance 0; thinner than a pixel it becomes fainter, not narrower."""
        thin = torch.clamp(width / self.pixel, max=1.0)
        return self.fill(distance.abs() - width / 2) * thin

    def paint(self, colour: Tensor, coverage: Tensor) -> None:
        """Blend `colour` (n, 3), or (n, 3, h, w), over the pixels by `coverage` (n, h, w)."""
        colour = colour[:, :, None, None] if colour.ndim == 2 else colour
        self.rgb.lerp_(colour, coverage[:, None])

    def shade(self, factor: Tensor) -> None:
        """Multiply the pixels by `factor` (n, h, w): above 1 lights, below 1 shades."""
        self.rgb.mul_(factor[:, None])


class Canvas:
    """n pictures of size x size pixels, colours in 0..1, being painted."""

    def __init__(self, pose: Pose, size: int, rgb: Tensor | None = None) -> None:
        n = len(pose.scale)
        self.pose, self.size = pose, size
        self.rgb = torch.zeros(n, 3, size, size) if rgb is None else rgb
        self.frame = (torch.arange(size, dtype=torch.float32) + 0.5) * (2 / size) - 1
        self.pixel = 2 / (size * pose.scale)
        self.cos = torch.cos(pose.roll) / pose.scale
        self.sin = torch.sin(pose.roll) / pose.scale

    def region(self, left: float, top: float, right: float, bottom: float) -> Region:
        """The smallest rectangle that holds the box (in head coordinates) of every head in the batch."""
        rows, columns = self._window(left, top, right, bottom)
        u = self.frame[columns] - self.pose.shift_x  # (n, 1, w)
        v = self.frame[rows, None] - self.pose.shift_y  # (n, h, 1)
        x = self.cos * u + self.sin * v  # (n, h, w)
        y = self.cos * v - self.sin * u
        return Region(self.rgb[:, :, rows, columns], x, y, self.pixel, (rows, columns))

    def whole(self) -> Region:
        """All pixels."""
        return self.region(-9.0, -9.0, 9.0, 9.0)

    def _window(self, left: float, top: float, right: float, bottom: float) -> tuple[slice, slice]:
        corners = torch.tensor([[left, top], [left, bottom], [right, top], [right, bottom]])
        cos, sin = torch.cos(self.pose.roll)[:, 0], torch.sin(self.pose.roll)[:, 0]  # (n, 1)
        scale = self.pose.scale[:, 0]
        x = (cos * corners[:, 0] - sin * corners[:, 1]) * scale + self.pose.shift_x[:, 0]  # (n, 4)
        y = (sin * corners[:, 0] + cos * corners[:, 1]) * scale + self.pose.shift_y[:, 0]
        return self._pixels(y), self._pixels(x)

    def _pixels(self, position: Tensor) -> slice:
        low, high = float(position.min()), float(position.max())
        first = math.floor((low + 1) * self.size / 2) - 1
        last = math.ceil((high + 1) * self.size / 2) + 1
        first = min(max(first, 0), self.size - 1)
        return slice(first, min(max(last, first + 1), self.size))

    def take(self, rows: Tensor) -> Canvas:
        """A copy of some pictures, to paint on what only they show; `put` brings them back."""
        return Canvas(self.pose[rows], self.size, self.rgb[rows])

    def put(self, rows: Tensor, part: Canvas) -> None:
        """Replace pictures `rows` by those of `part`."""
        self.rgb[rows] = part.rgb


def ellipse(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """Approximate signed distance to the ellipse with half axes `a` (along x) and `b` (along y)."""
    p, q = x / a, y / b
    norm = torch.sqrt(p * p + q * q + 1e-6)
    gradient = torch.sqrt((p / a) ** 2 + (q / b) ** 2 + 1e-4) / norm
    return (norm - 1) / gradient


def superellipse(x: Tensor, y: Tensor, a: Tensor, b: Tensor, power: Tensor | float) -> Tensor:
    """Approximate signed distance to ``|x/a|^power + |y/b|^power = 1``; above 2 it grows square."""
    p, q = (x / a).abs() + 1e-4, (y / b).abs() + 1e-4
    norm = (p**power + q**power) ** (1 / power)
    return (norm - 1) * torch.sqrt(x * x + y * y + 1e-6) / norm


def box(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float, corner: float = 0.0) -> Tensor:
    """Approximate signed distance to a box of half sides `a`, `b` with rounded corners."""
    p, q = x.abs() - a + corner, y.abs() - b + corner
    outside = torch.sqrt(p.clamp(min=0) ** 2 + q.clamp(min=0) ** 2)
    return outside + torch.maximum(p, q).clamp(max=0) - corner


def bump(distance: Tensor, width: Tensor | float) -> Tensor:
    """A smooth hill of height 1 at distance 0 that falls to 0 at `width`: (1 - (d/w)^2)^2."""
    fall = (1 - (distance / width) ** 2).clamp_(min=0.0)
    return fall * fall


def blob(x: Tensor, y: Tensor, a: Tensor | float, b: Tensor | float) -> Tensor:
    """A smooth round hill of height 1 at the origin that falls to 0 on the ellipse (a, b)."""
    fall = (1 - (x / a) ** 2 - (y / b) ** 2).clamp_(min=0.0)
    return fall * fall


def smoothstep(value: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    """0 below `low`, 1 above `high`, smooth between."""
    t = ((value - low) / (high - low)).clamp(0.0, 1.0)
    return t * t * (3 - 2 * t)


def mix(first: Tensor | float, second: Tensor | float, share: Tensor) -> Tensor:
    """`first` where `share` is 0, `second` where it is 1."""
    return first + (second - first) * share
