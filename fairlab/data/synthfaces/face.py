"""The bare head: neck, ears, skin and its shading."""

import torch
from torch import Tensor

from fairlab.data.synthfaces.canvas import Canvas, Region, blob, bump, ellipse, mix, smoothstep, superellipse
from fairlab.data.synthfaces.look import Look, hsv, light

#: Height of the widest line of the head, and of the top of the skull (head units).
WIDEST, SKULL = -0.06, -0.70


def head_distance(x: Tensor, y: Tensor, look: Look) -> Tensor:
    """Signed distance to the outline of the head: an ellipse above, a squarer jaw below."""
    below = y - WIDEST
    lower = below > 0
    length = torch.where(lower, look.chin - WIDEST, WIDEST - SKULL)
    return superellipse(x, below, look.half_width, length, torch.where(lower, look.jaw, 2.0))


def background(canvas: Canvas, look: Look) -> None:
    """A muted wall: gradient, and soft discs or panels in some."""
    colour = hsv(
        look.free("background_hue"),
        look.free("background_saturation", 0.0, 0.25),
        look.free("background_value", 0.20, 0.80),
    )
    angle = look.free("background_angle", 0.0, 6.2832)
    x, y = canvas.frame[None, None, :], canvas.frame[None, :, None]
    slope = torch.cos(angle) * x + torch.sin(angle) * y  # (n, size, size)
    kind = look.free("background_pattern")
    place = (kind * 7.0) % 1.0
    disc = smoothstep(0.5 - ellipse(x - mix(-0.9, 0.9, place), y + 0.4, 0.5, 0.5), 0.35, 0.65)
    panel = torch.sin((x + place) * 7.0) * 0.5
    pattern = torch.where(kind < 0.4, 0.0, torch.where(kind < 0.7, disc, panel))
    canvas.rgb.copy_(colour[:, :, None, None] * (1 + 0.20 * slope + 0.16 * pattern)[:, None])


def neck(canvas: Canvas, look: Look) -> None:
    """Neck with the shadow of the head on it."""
    region = canvas.region(-0.6, 0.3, 0.6, 1.4)
    x, y = region.x, region.y
    flare = 0.35 * (y - 0.70).clamp(min=0) ** 1.5
    column = region.fill(torch.maximum(x.abs() - look.neck - flare, 0.35 - y))
    region.paint(look.skin * 0.93, column)
    cast = smoothstep(y, look.chin + 0.24, look.chin - 0.05) * column
    region.paint(look.shadow, 0.75 * cast)


def second_chin(canvas: Canvas, look: Look) -> None:
    """Flesh under the chin, with its shadow on the neck."""
    region = canvas.region(-0.4, 0.35, 0.4, 0.9)
    x, y = region.x, region.y
    double = look.present("Double_Chin")
    under = ellipse(x, y - look.chin + 0.05, 0.27 + 0.05 * double, 0.07 + 0.10 * double)
    region.paint(look.shadow * 0.9, double * region.fill(under - 0.02, 0.04))
    region.paint(look.skin * 0.95, smoothstep(double, 0.0, 0.3) * region.fill(under))


def ears(canvas: Canvas, look: Look) -> None:
    """Both ears; long hair in front will hide them."""
    region = canvas.region(-0.75, -0.25, 0.75, 0.3)
    size = look.free("ear_size", 0.085, 0.115)
    x = region.x.abs() - look.half_width + 0.01
    y = region.y - 0.03
    region.paint(look.skin * 0.94, region.fill(ellipse(x, y, size * 0.65, size * 1.25)))
    region.paint(look.shadow, 0.6 * region.fill(ellipse(x - 0.012, y, size * 0.30, size * 0.75), 0.05))


def head(canvas: Canvas, look: Look) -> None:
    """Skin of the face, shaded as a rounded body by the light."""
    region = canvas.region(-0.66, -0.75, 0.66, 0.72)
    outline = head_distance(region.x, region.y, look)
    inside = region.fill(outline)
    region.paint(look.skin, inside)
    light_x, light_y, strength = light(look)
    facing = light_x * region.x * 1.9 + light_y * (region.y + 0.05) * 0.9
    rim = smoothstep(outline, -0.20, 0.02)
    dark = (strength * (0.45 - facing).clamp(0, 1.2) * 0.85 + 0.22 * rim) * inside
    region.paint(look.shadow, dark.clamp_(0, 1))
    region.shade(1 + 0.10 * inside * (facing - 0.4).clamp(0, 1) * (1 + strength))
    _cheeks(region, look, inside)
    _complexion(region, look, inside)


def _cheeks(region: Region, look: Look, inside: Tensor) -> None:
    x = (region.x - look.turn).abs()
    y = region.y
    rosy = look.present("Rosy_Cheeks") * 0.62 + 0.16 * look.show("Heavy_Makeup")
    blush = blob(x - 0.285, y - 0.165, 0.19, 0.15) * inside
    pink = look.skin * torch.tensor([1.0, 0.50, 0.50]) + torch.tensor([0.08, 0.0, 0.03])
    region.paint(pink, (rosy * 1.4 * blush).clamp(max=0.8))
    bone = look.show("High_Cheekbones") * inside
    # The hollow runs from the ear down towards the corner of the mouth, the lit bone lies above it.
    along = y - 0.215 + 0.55 * (x - 0.30)
    hollow = bump(along, 0.10) * smoothstep(x, 0.17, 0.26)
    ridge = blob(x - 0.30, y - 0.055, 0.15, 0.075)
    region.paint(look.shadow, 0.80 * bone * hollow)
    region.paint(look.skin * 0.55 + 0.45, 0.65 * bone * ridge)
    chubby = look.show("Chubby") * inside
    region.paint(
        look.shadow, 0.38 * chubby * bump(ellipse(x - 0.26, y - 0.22, 0.19, 0.17), 0.06) * (y > 0.16)
    )


def _complexion(region: Region, look: Look, inside: Tensor) -> None:
    """Even, glowing skin for attractive faces; a blotchy one, ruddy around the nose, for others."""
    plain = (1 - look.show("Attractive")) * inside
    x, y = region.x - look.turn, region.y
    phase = look.free("hair_phase", 0, 6.2832)
    blotch = torch.sin(19 * x + phase) * torch.sin(23 * y + 2 * phase)
    ruddy = look.skin * torch.tensor([0.98, 0.74, 0.70])
    patches = 0.60 * blotch.clamp(min=0) + 0.45 * blob(x, y - 0.12, 0.20, 0.16)
    region.paint(ruddy, (plain * patches).clamp(0, 0.75))
    spots = torch.sin(37 * x + 3 * phase) * torch.sin(33 * y + phase) * smoothstep(blotch, 0.1, 0.5)
    region.paint(look.shadow, 0.55 * plain * smoothstep(spots, 0.70, 0.95))
    glow = (
        look.show("Attractive")
        * inside
        * (blob(x.abs() - 0.22, y - 0.10, 0.2, 0.16) + blob(x, y + 0.32, 0.3, 0.16))
    )
    region.shade(1 + 0.11 * glow)


def age(canvas: Canvas, look: Look) -> None:
    """Wrinkles: forehead, crow's feet, folds beside the mouth; mottled skin."""
    region = canvas.region(-0.46, -0.50, 0.46, 0.56)
    x, y = region.x - look.turn, region.y
    side = x.abs()
    old = look.old
    wave = y + 0.36 - 0.05 * x * x + 0.006 * torch.sin(9 * x)
    lines = sum(bump(wave - shift, 0.024) for shift in (-0.075, 0.0, 0.06)) * smoothstep(side, 0.30, 0.16)
    outwards = (look.mouth_width + 0.035 - 0.085) / (look.mouth_y - 0.11)
    fold = bump(side - 0.085 - outwards * (y - 0.11), 0.030) * blob(y * 0, y - 0.215, 1.0, 0.125) ** 0.5
    feet = sum(bump(y - look.eye_y - 0.005 - slant * (side - 0.31), 0.016) for slant in (-0.35, 0.05, 0.45))
    feet = feet * smoothstep(side, 0.305, 0.33) * smoothstep(side, 0.43, 0.38)
    jowl = bump(side - 0.235 - 0.25 * (y - 0.42), 0.035) * blob(y * 0, y - 0.45, 1.0, 0.10)
    dark = 0.50 * lines + 0.85 * fold + 0.60 * feet + 0.45 * jowl
    region.paint(look.shadow * 0.92, (old * dark).clamp(0, 0.75))
    mottle = torch.sin(31 * x + 5 * y) * torch.sin(27 * y - 7 * x)
    region.shade(1 + 0.10 * old * mottle * blob(x, y, 0.42, 0.52))


def double_chin(canvas: Canvas, look: Look) -> None:
    """The crease between the chin and the one below it."""
    region = canvas.region(-0.3, 0.35, 0.3, 0.75)
    double = look.present("Double_Chin")
    x, y = region.x - 0.5 * look.turn, region.y
    crease = bump(y - look.chin + 0.055 + 0.9 * x * x, 0.035) * smoothstep(x.abs(), 0.26, 0.15)
    region.paint(look.shadow * 0.85, 0.75 * double * crease)
