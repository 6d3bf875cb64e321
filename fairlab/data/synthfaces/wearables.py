"""Clothes, necktie, necklace, earrings, glasses and hat."""

import torch

from fairlab.data.synthfaces.canvas import Canvas, blob, box, bump, ellipse, mix, smoothstep
from fairlab.data.synthfaces.look import Look, hsv, ramp

_METAL = ((0.86, 0.66, 0.25), (0.90, 0.78, 0.45), (0.85, 0.86, 0.88), (0.95, 0.95, 0.97))
_FRAMES = ((0.05, 0.05, 0.06), (0.25, 0.13, 0.07), (0.45, 0.10, 0.10), (0.10, 0.14, 0.28), (0.55, 0.50, 0.42))  # fmt: skip  # noqa: E501
_PALE = torch.tensor([[0.93, 0.93, 0.94]])

#: Height (head units) at which the collar crosses the middle of the chest.
COLLAR = 0.86


def clothes(canvas: Canvas, look: Look) -> None:
    """Shoulders in cloth, cut round, to a V, or with a shirt collar."""
    region = canvas.region(-1.4, 0.55, 1.4, 1.6)
    x, y = region.x, region.y
    side = x.abs()
    slope = 0.80 - 0.05 * look.male + (0.42 - 0.16 * look.male) * (side - 0.22).clamp(min=0)
    broad = 0.80 + 0.22 * look.male
    body = torch.maximum(slope - y, side - broad)
    cut = look.free("collar")
    depth = torch.where(cut < 0.45, 0.05 * torch.ones_like(cut), 0.26 * torch.ones_like(cut))
    depth = torch.where(cut > 0.75, 0.10 * torch.ones_like(cut), depth)
    neckline = COLLAR + depth - mix(1.4, 0.75, (cut > 0.45).float()) * side
    cloth = region.fill(torch.maximum(body, neckline - y))
    region.paint(look.shadow, 0.5 * region.fill(torch.maximum(body, neckline - 0.03 - y), 0.06))
    folds = 1 - 0.28 * smoothstep(side, 0.3, 0.9) + 0.05 * torch.sin(14 * x + 9 * y)
    region.paint(look.clothes[:, :, None, None] * folds[:, None], cloth)
    shirt = (cut > 0.75).float()
    flap = torch.maximum((side - 0.20 + 0.55 * (y - COLLAR)).abs() - 0.055, (y - COLLAR - 0.01).abs() - 0.13)
    region.paint(look.clothes * 0.75 + 0.22, shirt * region.fill(flap))


def necktie(canvas: Canvas, look: Look) -> None:
    """A white shirt collar, dark lapels and a tie, plain or striped."""
    region = canvas.region(-0.9, 0.60, 0.9, 1.6)
    cover, here = look.worn("Wearing_Necktie")
    x, y = region.x, region.y
    side = x.abs()
    top = 0.70
    shirt = torch.maximum(side - 0.38 + 0.42 * (y - top), top + 0.16 * side - y)
    region.paint(look.clothes * 0.45, cover * region.fill(torch.maximum(side - 0.85, 0.80 + 0.25 * side - y)))
    region.paint(_PALE, cover * region.fill(shirt))
    region.paint(
        _PALE * 0.62, 0.8 * cover * bump(side - 0.21 + 0.9 * (y - top - 0.02), 0.028) * region.fill(shirt)
    )
    colour = hsv(look.free("tie_hue"), 0.62, 0.52)
    knot = torch.maximum(side - 0.115 + 0.34 * (y - top - 0.03), (y - top - 0.085).abs() - 0.065)
    blade = torch.maximum(side - 0.062 - 0.24 * (y - top - 0.14), top + 0.14 - y)
    width = 0.020 * (1 - here)  # a borderline tie is narrow
    tie = cover * region.fill(torch.minimum(knot, blade) + width)
    stripes = (look.free("tie_style") > 0.5) * smoothstep(torch.sin(38 * (y + 0.7 * x)), 0.2, 0.6)
    region.paint(colour, tie)
    region.paint(colour * 0.4 + 0.5, 0.65 * stripes * tie)
    region.paint(colour * 0.45, 0.8 * tie * bump(y - top - 0.155, 0.028))


def necklace(canvas: Canvas, look: Look) -> None:
    """A chain, beads, or a chain with a pendant around the neck."""
    region = canvas.region(-0.5, 0.55, 0.5, 1.1)
    cover, here = look.worn("Wearing_Necklace")
    x, y = region.x, region.y
    hang = y - 0.81 + 2.4 * x * x
    ends = region.fill(x.abs() - look.neck - 0.015)
    style = look.free("necklace_style")
    beads = (style > 0.45).float()
    thick = mix(0.018, 0.046, beads) * (0.6 + 0.5 * here)
    pearls = 1 - 0.55 * beads * smoothstep(torch.cos(66 * x), 0.1, -0.7)
    colour = mix(ramp(_METAL, look.free("jewel_colour")[:, 0]), _PALE, 0.6 * beads[:, 0])
    cover = cover * ends
    region.paint(look.shadow * 0.6, 0.6 * cover * region.line(hang - 0.022, thick))
    region.paint(colour, cover * region.line(hang, thick) * pearls)
    stone = ellipse(x, y - 0.845, 0.036, 0.048)
    pendant = cover * (style < 0.45) * region.fill(stone + 0.01 * (1 - here))
    region.paint(hsv(look.free("jewel_colour"), 0.7, 0.65), pendant)
    region.paint(_PALE, 0.8 * pendant * blob(x + 0.01, y - 0.832, 0.018, 0.018))


def earrings(canvas: Canvas, look: Look) -> None:
    """Studs, drops or hoops below both ears, over the hair."""
    region = canvas.region(-0.80, 0.02, 0.80, 0.50)
    cover, here = look.worn("Wearing_Earrings")
    style = look.free("earring_style")
    size = 0.45 + 0.65 * here
    x = region.x.abs() - look.half_width - 0.015
    y = region.y - 0.155
    stud = ellipse(x, y, 0.042 * size, 0.042 * size)
    drop = torch.minimum(
        torch.maximum(x.abs() - 0.008, (y - 0.04).abs() - 0.05),
        ellipse(x, y - 0.115 * size, 0.046 * size, 0.070 * size),
    )
    hoop = ellipse(x, y - 0.085 * size, 0.072 * size, 0.090 * size).abs() - 0.016
    shape = torch.where(style < 0.3, stud, torch.where(style < 0.68, drop, hoop))
    metal = ramp(_METAL, look.free("jewel_colour")[:, 0])
    stone = hsv(look.free("jewel_colour", 0.0, 3.0), 0.55, 0.75)
    colour = torch.where((style[:, 0] > 0.3) & (style[:, 0] < 0.5), stone, metal)
    region.paint(_PALE * 0.12, 0.55 * cover * region.fill(shape - 0.016, 0.03))
    region.paint(colour, cover * region.fill(shape))
    region.paint(
        _PALE, 0.85 * cover * blob(x + 0.012, y - 0.06 * (style > 0.3) * (style < 0.68) - 0.0, 0.022, 0.024)
    )


def glasses(canvas: Canvas, look: Look) -> None:
    """Round, square or dark glasses; borderline ones have thin, faint frames."""
    region = canvas.region(-0.62, -0.32, 0.62, 0.22)
    cover, here = look.worn("Eyeglasses")
    style = look.free("glasses_style")
    x = region.x - look.turn
    lens_x = x.abs() - look.eye_x - 0.008
    y = region.y - look.eye_y - 0.012
    round_lens = ellipse(lens_x, y, 0.158, 0.140)
    square_lens = box(lens_x, y - 0.008, 0.160, 0.112, 0.045)
    lens = torch.where(style < 0.42, round_lens, square_lens)
    width = 0.016 + 0.018 * here + 0.014 * ((style > 0.62) & (style < 0.82))
    frame = region.line(lens, width)
    bridge = region.line(y + 0.030 + 0.35 * x * x, width) * (x.abs() < 0.06)
    arm = (
        region.line(y + 0.035, width * 0.9)
        * smoothstep(lens_x, 0.14, 0.16)
        * region.fill(region.x.abs() - look.half_width - 0.02)
    )
    dark = (style > 0.86).float()
    tint = torch.tensor([[0.10, 0.10, 0.12]])
    region.paint(mix(_PALE, tint, dark[:, 0]), cover * region.fill(lens) * mix(0.10, 0.86, dark))
    glint = bump(lens_x + 0.9 * y + 0.05, 0.045) * region.fill(lens + 0.03)
    region.paint(_PALE, cover * mix(0.22, 0.30, dark) * glint)
    colour = ramp(_FRAMES, look.free("glasses_colour")[:, 0])
    region.paint(colour, cover * torch.maximum(frame, torch.maximum(bridge, arm)))


def hat(canvas: Canvas, look: Look) -> None:
    """A cap with a bill, a beanie, or a hat with a brim; borderline ones sit high and faint."""
    region = canvas.region(-1.1, -1.25, 1.1, -0.05)
    cover, here = look.worn("Wearing_Hat")
    style = look.free("hat_style")
    x, y = region.x, region.y
    rim = -0.30 - 0.16 * (1 - here)
    radius = look.half_width + look.hair_volume * 0.75 + 0.055
    crown = torch.maximum(
        ellipse(x, (y - rim).clamp(max=0), radius, 0.53 + 0.05 * here), y - rim - 0.25 * x * x + 0.03
    )
    bill = torch.maximum(ellipse(x - 2 * look.turn, y - rim - 0.02, radius * 0.92, 0.105), rim - 0.02 - y)
    brim = ellipse(x, y - rim + 0.02 + 0.10 * x * x, radius + 0.30, 0.075)
    fold = box(x, y - rim + 0.055 - 0.20 * x * x, radius + 0.02, 0.085, 0.05)
    colour = hsv(
        look.free("hat_hue"), look.free("clothing_saturation", 0.15, 0.6), look.free("hat_value", 0.15, 0.85)
    )
    shade = 1 - 0.35 * smoothstep(x.abs(), 0.1, 0.65) + 0.12 * bump(x + 0.12, 0.25)
    ribs = 1 + 0.13 * torch.sin(46 * x) * ((style > 0.38) & (style < 0.70))
    cast = region.fill(torch.maximum(y - rim - 0.10, x.abs() - look.half_width), 0.10) * (y > rim - 0.1)
    region.paint(look.shadow * 0.5, 0.60 * cover * cast)
    region.paint(colour[:, :, None, None] * (shade * ribs)[:, None], cover * region.fill(crown))
    part = torch.where(style < 0.38, bill, torch.where(style < 0.70, fold, brim))
    band = bump(y - rim + 0.10, 0.05) * (style > 0.70) * region.fill(crown)
    region.paint(colour * 0.35, 0.9 * cover * band)
    tone = 1.12 - 0.30 * smoothstep(y - rim, 0.0, 0.10)
    region.paint((colour * 0.78)[:, :, None, None] * (tone * ribs)[:, None], cover * region.fill(part))
