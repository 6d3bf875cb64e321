"""Faces, pairs and latents: what is shown where, and what the captions say."""

import matplotlib as mpl
import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.figures import plots
from fairlab.figures.faces import kept_and_flipped
from fairlab.figures.style import MODEL_LOOKS, PROTECTED_LOOKS, TARGET_LOOKS
from fairlab.latent import Hyperplane, plane_basis, plane_coordinates

from ..lab.examples import faces, labels
from .drawn import pixels, words


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
