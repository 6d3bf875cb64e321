"""Hair of the head, behind and in front of it, and facial hair."""

import torch
from torch import Tensor

from fairlab.data.synthfaces.canvas import Canvas, Region, bump, ellipse, mix, smoothstep, superellipse
from fairlab.data.synthfaces.face import head_distance
from fairlab.data.synthfaces.grain import grain
from fairlab.data.synthfaces.look import Look, light


class Hair:
    """One head of hair per face; `behind` is painted before the head, `in_front` after it."""

    def __init__(self, canvas: Canvas, look: Look) -> None:
        self.look = look
        self.region = canvas.region(-1.1, -1.0, 1.1, 1.5)
        self.wavy = look.show("Wavy_Hair") * (1 - look.show("Straight_Hair"))
        self.straight = look.show("Straight_Hair") * (1 - look.show("Wavy_Hair"))
        self.phase = look.free("hair_phase", 0, 6.2832)
        self.outer = self._outline()
        self.colour = self._strands()

    def _outline(self) -> Tensor:
        """Signed distance to the hair's silhouette, which waves with the hair."""
        look, x, y = self.look, self.region.x, self.region.y
        long = look.hair_long
        sway = torch.sin(13.0 * y + self.phase + 0.9 * torch.sign(x)) * (0.3 + 0.7 * long)
        curl = torch.sin(17.0 * x + self.phase) * (y < -0.2) * (1 - long)
        loose = torch.sin(29.0 * y + 11.0 * x + 2 * self.phase) * (1 - self.straight)
        wave = self.wavy * (0.042 * sway + 0.022 * curl) + 0.010 * loose
        flare = -(1 - long) * 0.30 * (y + 0.34).clamp(min=0) + long * (y + 0.2).clamp(0, 1.2) * (
            0.05 + 0.13 * self.wavy - 0.05 * self.straight
        )
        radius = look.half_width + look.hair_volume + flare
        crown = ellipse(x, (y + 0.17).clamp(max=0), radius, 0.545 + look.hair_volume)
        short_end = 0.06 - 0.06 * look.show("Bald")
        end = mix(short_end, look.free("hair_end", 0.42, 1.25), long)
        ragged = (
            0.035 * (1 - self.straight) * torch.sin(25 * x + self.phase)
            + 0.25 * (1 - self.straight) * x * x * long
        )
        return torch.maximum(crown + wave, y - end + ragged)

    def _strands(self) -> Tensor:
        """Colour (n, 3, h, w): strands run from the parting outwards, waves bend and band them."""
        look, x, y = self.look, self.region.x, self.region.y
        part = look.free("hair_parting", -0.22, 0.22)
        bend = (0.015 + 0.060 * self.wavy - 0.015 * self.straight) * torch.sin(
            13.0 * y + self.phase + 0.9 * torch.sign(x)
        )
        across = (x - part + bend) / (y + 1.25).clamp(0.5, 0.85)
        strand = 0.6 * torch.sin(21 * across + self.phase) + 0.4 * torch.sin(34 * across + 2 * self.phase)
        band = self.wavy * torch.sin(13.0 * y + self.phase + 7.0 * x.abs())
        light_x, light_y, strength = light(look)
        facing = light_x * x * 1.3 + light_y * (y + 0.2) * 0.8
        halo = bump(self.outer + 0.13, 0.085) * smoothstep(y, 0.30, -0.25) * (0.25 + 0.75 * self.straight)
        tone = 1 + 0.11 * strand + 0.20 * band + 0.34 * halo + strength * (facing - 0.25).clamp(-0.8, 0.8)
        edge = 1 - 0.25 * smoothstep(self.outer, -0.07, 0.0)
        sheen = 0.05 * (halo + 0.5 * band.clamp(min=0) + 0.25 * strand.clamp(min=0))
        return look.hair[:, :, None, None] * (tone * edge)[:, None] + sheen[:, None]

    def behind(self) -> None:
        """What shows beside and below the head."""
        top = 1 - self.look.present("Bald") * smoothstep(self.region.y, -0.22, -0.34)
        self.region.paint(self.colour * 0.80, self.region.fill(self.outer) * top)

    def in_front(self) -> None:
        """The cap of hair around the forehead, locks beside the face, and bangs."""
        look, region = self.look, self.region
        bald = look.present("Bald")
        cap = torch.maximum(self.outer, -self._opening())
        side_end = mix(0.0, look.free("hair_end", 0.62, 1.45), look.hair_long)
        cap = torch.maximum(cap, region.y - side_end)
        shown = region.fill(cap) * (1 - bald * smoothstep(region.y, -0.22, -0.34))
        thin = 1 - 0.5 * bald * (1 - look.hair_long)
        region.paint(
            look.shadow * 0.8, 0.5 * region.fill(cap - 0.035, 0.07) * (1 - bald) * region.fill(self.outer)
        )
        region.paint(self.colour, shown * thin)
        self._bangs(1 - bald)

    def _opening(self) -> Tensor:
        """Signed distance to the part of the face that hair leaves free."""
        look, x, y = self.look, self.region.x, self.region.y
        recede = look.show("Receding_Hairline")
        part = look.free("hair_parting", -0.22, 0.22)
        sides = look.half_width - 0.030 - 0.035 * look.hair_long
        oval = superellipse(x, y - 0.14, sides, torch.full_like(sides, 0.80), 2.5)
        height = look.free("hairline", -0.50, -0.45) - 0.035 * look.male - 0.05 * recede
        slant = mix(0.9, 0.55, look.male) * (x - 0.6 * part) ** 2
        temples = 0.24 * recede * bump(x.abs() - 0.27, 0.21)
        comb = 0.014 * torch.sin(26 * x + self.phase) * (1 - self.straight)
        line = height + slant - temples + comb
        return torch.maximum(oval, 0.9 * (line - y))

    def _bangs(self, room: Tensor) -> None:
        look, x, y = self.look, self.region.x, self.region.y
        bangs = look.present("Bangs") * room
        sweep = look.free("hair_parting", -0.16, 0.16)
        low = mix(-0.42, look.brow_y + 0.015, look.show("Bangs"))
        fringe = 0.022 * torch.sin(34 * x + self.phase).abs() * (1 - 0.6 * self.straight)
        line = low + sweep * x - fringe + 0.10 * x * x
        inside = torch.maximum(self.outer, x.abs() - look.half_width + 0.035)
        cover = self.region.fill(torch.maximum(inside, y - line))
        cast = self.region.fill(torch.maximum(inside, y - line - 0.045), 0.08)
        self.region.paint(look.shadow * 0.85, 0.55 * smoothstep(bangs, 0, 1) * cast)
        gaps = 1 - 0.35 * (1 - bangs) * torch.sin(40 * x + self.phase).clamp(min=0)
        self.region.paint(self.colour * 1.06, smoothstep(bangs, 0.0, 0.45) * gaps * cover)


def facial_hair(canvas: Canvas, look: Look) -> None:
    """Stubble, full beard, sideburns, goatee and mustache, in the order in which they cover."""
    region = canvas.region(-0.66, -0.30, 0.66, 0.78)
    x, y = region.x - look.turn, region.y
    inside = region.fill(head_distance(region.x, region.y, look) + 0.004)
    lips = region.fill(ellipse(x, y - look.mouth_y, look.mouth_width + 0.015, 0.062), 0.04)
    free = inside * (1 - lips)
    jaw = _beard_area(x, y, look)
    speckle = grain(look, canvas.size)[:, 0, region.window[0], region.window[1]]
    _stubble(region, look, free * region.fill(jaw, 0.08), speckle)
    grown = look.show("No_Beard")
    others = torch.stack([look.show(n) for n in ("Goatee", "Mustache", "Sideburns", "5_o_Clock_Shadow")])
    beard = ((1 - grown - 0.06) / 0.9).clamp(0, 1) * (1 - 0.65 * others.amax(0))
    texture = (0.88 + 0.09 * speckle).clamp(0.5, 1.05)
    _hairs(region, look, beard * free * region.fill(jaw + 0.015, 0.05) * texture)
    side = region.x.abs() - look.half_width
    strip = torch.maximum(-side - 0.125 - 0.10 * (y - 0.1), y - 0.33 - 0.5 * (side + 0.06))
    burns = look.present("Sideburns") * smoothstep(y, -0.28, -0.16)
    _hairs(region, look, burns * inside * region.fill(strip) * texture)
    chin = ellipse(x, y - look.chin + 0.065, 0.125 + 0.02 * look.male, 0.115)
    ring = ellipse(x, y - look.mouth_y - 0.045, look.mouth_width + 0.055, 0.175).abs() - 0.026
    goatee = torch.minimum(chin, torch.maximum(ring, look.mouth_y - 0.01 - y))
    _hairs(region, look, look.present("Goatee") * free * region.fill(goatee) * texture)
    _mustache(region, look, x, y)


def has_facial_hair(look: Look) -> Tensor:
    """Shape (n, 1, 1), bool: which faces `facial_hair` would change."""
    names = ("Goatee", "Mustache", "Sideburns", "5_o_Clock_Shadow")
    shown = torch.stack([look.present(name) for name in names]).amax(0) > 0
    return shown | (look.show("No_Beard") < 0.94)


def _beard_area(x: Tensor, y: Tensor, look: Look) -> Tensor:
    """Below a line from the ears past the corners of the mouth, and the upper lip."""
    style = look.free("beard_style", 0.0, 0.06)
    cheek = (
        look.mouth_y
        - 0.13
        + style
        - 1.2 * (x.abs() - 0.16).clamp(min=0)
        - 0.9 * (0.16 - x.abs()).clamp(0, 0.02)
    )
    return cheek - y


def _stubble(region: Region, look: Look, area: Tensor, speckle: Tensor) -> None:
    dots = (0.85 + 0.22 * speckle).clamp(0.2, 1.3)
    colour = look.skin * torch.tensor([0.42, 0.44, 0.50])
    region.paint(colour, 0.60 * look.present("5_o_Clock_Shadow") * area * dots)


def _mustache(region: Region, look: Look, x: Tensor, y: Tensor) -> None:
    """Two lobes under the nose that hang past the corners of the mouth."""
    here = look.present("Mustache")
    middle = (look.nose_y + look.mouth_y) / 2 + 0.030
    droop = 1.6 * x * x
    thick = (0.030 + 0.016 * here) * (1 - 0.25 * (x / 0.2) ** 2)
    lobe = torch.maximum((y - middle - droop).abs() - thick, x.abs() - look.mouth_width - 0.03)
    notch = 1 - 0.45 * bump(x, 0.02)
    _hairs(region, look, smoothstep(here, 0.0, 0.5) * region.fill(lobe) * notch)


def _hairs(region: Region, look: Look, cover: Tensor) -> None:
    region.paint(look.beard, (0.93 * cover).clamp(0, 1))
