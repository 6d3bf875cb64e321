"""Eyes, eyebrows, nose and mouth."""

import torch
from torch import Tensor

from fairlab.data.synthfaces.canvas import Canvas, Region, blob, bump, ellipse, mix, smoothstep
from fairlab.data.synthfaces.look import Look, hsv, light

_WHITE = torch.tensor([[0.95, 0.94, 0.93]])
_DARK = torch.tensor([[0.07, 0.05, 0.05]])


def eyes(canvas: Canvas, look: Look) -> None:
    """Both eyes at once: the face is folded on its middle, the gaze is unfolded."""
    region = canvas.region(-0.45, -0.32, 0.45, 0.18)
    x = region.x - look.turn
    side = torch.sign(x)
    ex = x.abs() - look.eye_x  # towards the temple
    y = region.y - look.eye_y - 0.020 * side * look.uneven + 0.06 * ex
    arch = (1 - (ex / look.eye_width) ** 2).clamp(min=-0.6)
    upper, lower = y + look.eye_height * arch, y - 0.72 * look.eye_height * arch
    _lids(region, look, ex, y, upper, lower)
    opening = region.fill(torch.maximum(torch.maximum(-upper, lower), ex.abs() - look.eye_width))
    region.paint(_WHITE * (1 - 0.10 * look.old[:, 0]), opening)
    region.paint(look.shadow, opening * 0.45 * smoothstep(upper, 0.045, 0.0))
    gaze = ex * side - look.free("gaze", -0.018, 0.018)
    radius = torch.sqrt(gaze * gaze + (y + 0.004) ** 2 + 1e-6)
    region.paint(look.iris * 0.55, opening * region.fill(radius - 0.053))
    region.paint(look.iris * 1.15 + 0.03, opening * region.fill(radius - 0.042))
    region.paint(_DARK, opening * region.fill(radius - 0.022))
    glint = torch.sqrt((gaze + 0.016) ** 2 + (y + 0.020) ** 2 + 1e-6)
    region.paint(_WHITE, 0.9 * opening * region.fill(glint - 0.012))
    _lashes(region, look, ex, upper, lower)


def _lids(region: Region, look: Look, ex: Tensor, y: Tensor, upper: Tensor, lower: Tensor) -> None:
    """Socket shade, lid crease, eyeshadow above; bags below."""
    made_up = look.show("Heavy_Makeup")
    region.paint(look.shadow, (0.30 + 0.12 * look.male) * blob(ex + 0.02, y + 0.015, 0.19, 0.125))
    lid = smoothstep(upper, -0.105, -0.045) * smoothstep(upper, 0.02, 0.0)
    wing = smoothstep(ex.abs(), look.eye_width + 0.05, look.eye_width - 0.01)
    hues = hsv(look.free("makeup_hue", 0.58, 1.10), 0.55, 0.48)
    region.paint(hues, 0.85 * made_up * lid * wing)
    crease = bump(upper + 0.036, 0.018) * smoothstep(ex.abs(), look.eye_width + 0.015, look.eye_width - 0.03)
    region.paint(look.shadow * 0.75, 0.55 * crease)
    bags = look.show("Bags_Under_Eyes") * smoothstep(ex.abs(), 0.125, 0.055)
    pouch = bump(lower - 0.045, 0.055)
    region.paint(look.shadow * torch.tensor([0.86, 0.82, 0.98]), (0.72 * bags * pouch).clamp(max=0.8))
    region.paint(look.shadow * 0.70, 0.80 * bags * bump(lower - 0.080, 0.026))


def _lashes(region: Region, look: Look, ex: Tensor, upper: Tensor, lower: Tensor) -> None:
    made_up = look.show("Heavy_Makeup")
    reach = look.eye_width + 0.010 + 0.030 * made_up
    ends = smoothstep(ex, reach, reach - 0.03) * smoothstep(-ex, look.eye_width + 0.01, look.eye_width - 0.02)
    width = 0.022 + 0.026 * made_up - 0.006 * look.male
    thick = width * (0.65 + 3.2 * ex.clamp(min=0) * (1 - 0.5 * look.male))
    region.paint(_DARK, ends * region.line(upper + 0.2 * width, thick))
    region.paint(look.shadow * 0.6, 0.55 * ends * region.line(lower, torch.full_like(width, 0.014)))
    region.paint(_DARK, 0.60 * made_up * ends * region.line(lower - 0.004, torch.full_like(width, 0.018)))


def brows(canvas: Canvas, look: Look) -> None:
    """Arched or straight, thin or bushy, in the colour of the hair."""
    region = canvas.region(-0.48, -0.45, 0.48, 0.02)
    x = region.x - look.turn
    bx = x.abs() - look.eye_x - 0.005
    arched, bushy = look.show("Arched_Eyebrows"), look.show("Bushy_Eyebrows")
    reach = 0.140 + 0.018 * bushy
    t = bx / reach  # -1 at the nose, 1 at the temple
    lift = mix(0.010, 0.078, arched) * (1 - ((t - 0.30) / 1.15) ** 2)
    tilt = look.free("brow_tilt", -0.012, 0.012) + 0.010 * look.male
    y = region.y - look.brow_y + lift - tilt * t - 0.03 * arched + 0.026 * torch.sign(x) * look.uneven
    thick = (0.030 + 0.010 * look.male + 0.046 * bushy) * (1.12 - 0.40 * t) * mix(1.0, 0.8, arched)
    ends = smoothstep(t.abs(), 1.06, 0.84)
    hairs = 0.90 + 0.08 * bushy * torch.sin(57 * bx + 40 * y)
    colour = mix(look.beard, look.skin * 0.42, 0.30 * torch.ones(1))
    region.paint(colour, (0.72 + 0.26 * bushy) * ends * hairs * region.line(y, thick))
    gap = bushy * look.male * blob(bx + look.eye_x, y, 0.07, 0.035)
    region.paint(colour, 0.45 * gap)


def nose(canvas: Canvas, look: Look) -> None:
    """Bridge shaded away from the light, round or pointed tip, wings and nostrils."""
    region = canvas.region(-0.32, -0.2, 0.32, 0.32)
    big, point = look.show("Big_Nose"), look.show("Pointy_Nose")
    x = region.x - 1.35 * look.turn
    y = region.y - look.nose_y
    wing = (0.064 + 0.084 * big - 0.018 * point + 0.008 * look.male) * torch.ones_like(x[:, :1, :1])
    light_x, _, _ = light(look)
    bridge = 0.034 + 0.022 * big - 0.010 * point
    slope = bridge + (wing - bridge) * smoothstep(y, -0.17, -0.01)
    along = smoothstep(y, -0.26, -0.10) * smoothstep(y, 0.035, -0.005)
    flank = bump(x.abs() - slope, 0.042) * along * (0.75 - 0.55 * torch.sign(x) * light_x)
    region.paint(look.shadow, (0.55 + 0.30 * point + 0.15 * big) * flank.clamp(0, 1))
    region.paint(look.skin * 0.6 + 0.4, (0.28 + 0.25 * point) * bump(x, bridge * 0.9) * along)
    ball = ellipse(x, y + 0.022, wing, 0.050 + 0.036 * big - 0.012 * point)
    region.paint(look.shadow, 0.30 * region.fill(ball, 0.05))
    tip = ellipse(x, y + 0.018, wing * 0.60, 0.040 + 0.016 * big)
    region.paint(look.skin * 1.04, 0.75 * region.fill(tip, 0.05))
    drop = y - 0.016 - 0.020 * big
    under = drop - 0.052 * point * (1 - x.abs() / 0.055).clamp(min=0) + 5.0 * x * x * big * 0.35
    rim = smoothstep(x.abs(), wing * 1.08, wing * 0.72)
    region.paint(look.shadow * 0.78, 0.70 * rim * bump(under, 0.030 + 0.008 * big))
    nostril = ellipse(x.abs() - wing * 0.52, drop + 0.006, wing * 0.27, 0.011 + 0.008 * big)
    region.paint(look.shadow * 0.45, (0.55 + 0.3 * big) * region.fill(nostril))
    region.paint(
        look.shadow * 0.80,
        (0.25 + 0.55 * big) * bump(ellipse(x.abs() - wing * 0.72, y, wing * 0.38, 0.042 + 0.02 * big), 0.022),
    )
    shine = blob(x + 0.01 * light_x, y + 0.030 + 0.008 * point, 0.030 - 0.010 * point, 0.030)
    region.paint(_WHITE, (0.30 + 0.40 * point) * shine)


def mouth(canvas: Canvas, look: Look) -> None:
    """Lips between two curves that bend with the smile and part as the mouth opens."""
    region = canvas.region(-0.33, 0.12, 0.33, 0.58)
    smile, parted, big = look.show("Smiling"), look.show("Mouth_Slightly_Open"), look.show("Big_Lips")
    x = region.x - 1.1 * look.turn
    t = x / look.mouth_width
    bend = mix(-0.022, 0.082, smile)  # corners up when smiling
    y = region.y - look.mouth_y + bend * (t * t - 0.30) + 0.026 * look.uneven * t
    span = (1 - t * t).clamp(min=0)
    taper = torch.sqrt(span + 1e-4)
    gap = (0.050 + 0.012 * smile) * parted * span
    bow = 1 - 0.30 * torch.exp(-((t / 0.16) ** 2)) - 0.25 * t.abs()
    top = (0.027 + 0.046 * big - 0.008 * look.male - 0.004 * smile) * bow * taper
    bottom = (0.036 + 0.056 * big - 0.006 * look.male) * taper
    region.paint(look.shadow, 0.55 * blob(x, y - gap - bottom - 0.035, look.mouth_width * 0.7, 0.04))
    ends = region.fill(x.abs() - look.mouth_width)
    upper = region.fill(torch.maximum(-y - gap * 0.35 - top, y)) * ends
    lower = region.fill(torch.maximum(-y, y - gap * 0.65 - bottom)) * ends
    region.paint(look.lips * 0.86, upper)
    region.paint(look.lips, lower)
    glossy = 0.30 + 0.35 * look.show("Wearing_Lipstick")
    region.paint(
        _WHITE,
        glossy
        * big.clamp(min=0.4)
        * lower
        * blob(x, y - 0.65 * gap - 0.45 * bottom, look.mouth_width * 0.5, 0.020),
    )
    _inside(region, look, x, y, gap, ends)
    corner = blob(x.abs() - look.mouth_width - 0.004, y + 0.0, 0.030, 0.030)
    region.paint(look.shadow * 0.7, (0.40 + 0.35 * smile) * corner)
    fold = bump(x.abs() - look.mouth_width - 0.045 + 0.5 * (y + 0.01) ** 2, 0.026) * smoothstep(
        y.abs(), 0.10, 0.03
    )
    region.paint(look.shadow, 0.55 * smile * fold)


def _inside(region: Region, look: Look, x: Tensor, y: Tensor, gap: Tensor, ends: Tensor) -> None:
    """Line between closed lips; the dark, the teeth and the tongue between open ones."""
    hole = region.fill(torch.maximum(-y - gap * 0.35, y - gap * 0.65)) * ends
    hole = hole * smoothstep(gap / region.pixel, 0.1, 0.7)
    line = ends * region.line(y, torch.full_like(look.male, 0.016))
    region.paint(look.lips * 0.45, 0.85 * line)
    region.paint(torch.tensor([[0.20, 0.06, 0.07]]), hole)
    teeth = region.fill(y - gap * mix(0.15, 0.45, look.show("Smiling"))) * smoothstep(
        x.abs(), look.mouth_width * 0.86, look.mouth_width * 0.66
    )
    region.paint(_WHITE * 0.97, hole * teeth * (0.60 + 0.40 * look.show("Smiling")))
