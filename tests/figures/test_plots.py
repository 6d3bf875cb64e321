import io
import math

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.figures import plots
from fairlab.figures.faces import kept_and_flipped
from fairlab.figures.style import MODEL_LOOKS, PROTECTED_LOOKS, TARGET_LOOKS
from fairlab.latent import Hyperplane, plane_basis, plane_coordinates

from ..lab.examples import CLEAR, faces, labels, scores, tidy

NAN = (math.nan, math.nan, math.nan)


def pixels(figure: Figure) -> np.ndarray:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=40)
    return np.asarray(Image.open(stream).convert("L"))


def words(figure: Figure) -> str:
    """All text that is drawn in a figure."""
    texts = [text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text"))]
    return "\n".join(texts)


@pytest.mark.parametrize("n", [1, 8, 11])
def test_face_grid_shows_every_face_with_its_caption(n: int):
    names = [f"face {i}" for i in range(n)]
    figure = plots.face_grid(faces(n), names, caption="Faces.").figure
    shown = [axis.images[0].get_array() for axis in figure.axes if axis.images]
    assert np.array_equal(np.stack(shown), faces(n))
    assert all(name in words(figure) for name in names)


def test_pair_grid_puts_each_partner_below_its_face():
    images, partners = faces(10), faces(10, seed=1)
    figure = plots.pair_grid(images, partners, [("above", "below")] * 10, caption="Pairs.", columns=4).figure
    shown = [axis.images[0].get_array() if axis.images else None for axis in figure.axes]
    for i in range(10):
        block, column = divmod(i, 4)
        assert np.array_equal(shown[8 * block + column], images[i])
        assert np.array_equal(shown[8 * block + 4 + column], partners[i])


def test_figures_refuse_arrays_of_different_lengths_and_empty_ones():
    with pytest.raises(UserError, match="images 3, partners 2"):
        plots.pair_grid(faces(3), faces(2), caption="")
    with pytest.raises(UserError, match="at least 1"):
        plots.face_grid(faces(3)[:0], caption="")


def test_lines_in_the_plane_keep_the_signed_distances():
    rng = np.random.default_rng(0)
    target, protected = (Hyperplane(rng.normal(size=16), intercept) for intercept in (0.3, -0.7))
    z = rng.normal(size=(50, 16))
    basis, points = plane_basis(target, protected), plane_coordinates(z, target, protected)
    for plane in (target, protected):
        line = plots.Line.of(plane, basis, "Smiling")
        assert points @ np.array(line.normal) + line.intercept == pytest.approx(plane.distance(z), abs=1e-12)


def test_latent_plane_draws_both_lines_where_they_are():
    points = np.random.default_rng(0).normal(size=(300, 2))
    lines = (plots.Line("Smiling", (1.0, 0.0), 0.2), plots.Line("Male", (0.6, 0.8), -0.3))
    target, protected = labels(300)
    figure = plots.latent_plane(points, target, protected, lines, (points[:3], points[3:6])).figure
    assert pixels(figure).std() > 10
    for line, its in zip(lines, figure.axes[0].lines, strict=True):
        distances = np.array([its.get_xy1(), its.get_xy2()]) @ np.array(line.normal) + line.intercept
        assert distances == pytest.approx(0, abs=1e-12)
    assert "boundary of Male" in words(figure)


def test_latent_plane_caption_measures_the_sides_and_the_angle():
    points = np.array([[1.0, 0.0], [-1.0, 0.0], [2.0, 1.0], [-2.0, -1.0]])
    lines = (plots.Line("Smiling", (1.0, 0.0), 0.0), plots.Line("Wearing_Hat", (0.0, 1.0), -0.5))
    said = plots.latent_plane(points, np.array([1, 0, 1, 1]), np.array([0, 0, 1, 0]), lines).text
    assert "75.0% for Smiling" in said
    assert "100.0% for Wearing Hat" in said
    assert "90° apart" in said


def test_score_histograms_say_what_each_group_loses():
    y, a = np.array([1, 1, 1, 1, 0, 0]), np.array([0, 0, 1, 1, 0, 1])
    values = {"baseline": np.array([0.9, 0.8, 0.9, 0.2, 0.1, 0.7])}
    names = {"target": "Smiling", "protected_name": "Male"}
    figure = plots.score_histograms(values, y, a, {"baseline": 0.5}, **names).figure
    assert "not Male: 0.0% of 2\nMale: 50.0% of 2" in words(figure)
    assert "not Male: 0.0% of 1\nMale: 100.0% of 1" in words(figure)
    said = plots.score_histograms(values, y, a, {"baseline": 0.5}, **names).text
    assert "misses 0.0% of the Smiling faces labelled not Male and 50.0% of those labelled Male" in said


def test_score_histograms_survive_an_empty_group():
    y, a = np.array([1, 0, 0]), np.array([0, 0, 1])
    arguments = ({"baseline": np.array([0.9, 0.1, 0.2])}, y, a, {"baseline": 0.5})
    names = {"target": "Smiling", "protected_name": "Male"}
    assert "Male: n/a of 0" in words(plots.score_histograms(*arguments, **names).figure)
    assert "n/a of those labelled Male" in plots.score_histograms(*arguments, **names).text


def test_score_histogram_bars_are_shares_of_the_group():
    target, protected = labels(500)
    values = {"baseline": scores(target, protected, 2.0), "debiased": scores(target, protected, 0.5)}
    figure = plots.score_histograms(
        values, target, protected, dict.fromkeys(values, 0.5), target="Smiling", protected_name="Male"
    ).figure
    sums = [sum(patch.get_data()[0]) for axis in figure.axes for patch in axis.patches]
    assert sums == pytest.approx([100] * len(sums))
    assert len(sums) == 2 * 2 * 2 * 2  # models, labels, groups, outline and fill


def test_metric_bars_stand_at_the_values():
    figure = plots.metric_bars(tidy()).figure
    heights = {
        axis.get_title(loc="left"): [p.get_height() for p in axis.patches if p.get_height()]
        for axis in figure.axes
    }
    assert heights["Gap in missed faces (DEO)"] == pytest.approx([21.3, 11.2])
    assert heights["Score divergence (KL)"] == pytest.approx([1.32, 0.81])
    assert pixels(figure).std() > 10


def test_metric_bars_mark_what_is_undefined_without_a_bar():
    table = tidy({**CLEAR, "DEO": (NAN, NAN, NAN)}, note="0 positives in Male")
    figure = plots.metric_bars(table).figure
    assert "n/a (0 positives in Male)" in words(figure)
    assert not any(patch.get_height() for patch in figure.axes[0].patches)
    assert "DEO n/a → n/a (undefined)" in plots.metric_bars(table).text


def test_metric_bars_hold_many_attributes():
    names = ["Smiling", "Wearing_Hat", "Eyeglasses", "Bangs"]
    table = pd.concat([tidy(attribute=name) for name in names])
    assert "Wearing Hat" in words(plots.metric_bars(table).figure)
    assert plots.metric_bars(table).text.count("baseline → de-biased") == len(names)


def test_learning_curves_mark_the_best_epoch():
    scored = enumerate((0.5, 0.9, math.nan), start=1)
    curve = [{"epoch": epoch, "train_loss": 1 / epoch, "AP": ap} for epoch, ap in scored]
    figure = plots.learning_curves({"baseline": curve}).figure
    ring = figure.axes[1].lines[-1]
    assert ring.get_xydata()[0] == pytest.approx((2, 90))
    said = plots.learning_curves({"baseline": curve}).text
    assert "best after epoch 2 of 3, with a validation AP of 90.0%" in said


def test_label_table_counts():
    target, protected = np.array([1, 1, 0, 1, 0, 0, 0]), np.array([0, 0, 0, 1, 1, 1, 1])
    figure = plots.label_table(target, protected, target="Smiling", protected="Male").figure
    assert "not Smiling\n3 (75%)" in words(figure)
    said = plots.label_table(target, protected, target="Smiling", protected="Male").text
    assert said.startswith("66.7% of the faces labelled not Male are labelled Smiling, against 25.0%")


def test_pair_caption_counts_what_was_kept_and_flipped():
    before = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    after = np.array([[1, 1], [1, 1], [1, 1], [0, 0]])
    said = kept_and_flipped(before, after, target="Smiling", protected="Male")
    assert "75.0% of 4 partners keep the label Smiling, 75.0% change the label Male" in said
    assert "50.0% do both" in said


def test_nothing_is_told_by_colour_alone():
    for looks in (MODEL_LOOKS, PROTECTED_LOOKS, TARGET_LOOKS):
        for part in ("colour", "marker", "hatch", "line"):
            assert len({getattr(look, part) for look in looks}) == len(looks)


def test_figures_leave_the_users_settings_alone():
    before = dict(mpl.rcParams)
    plots.face_grid(faces(2), caption="")
    assert dict(mpl.rcParams) == before
