"""The hyperplane view, driven without a browser: clicks and sliders choose points, an arrow leads to z'."""

import io

import numpy as np
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.generators import sample_latents
from fairlab.lab.panel import static_html
from fairlab.lab.plane_view import FACE, HyperplaneView
from fairlab.lab.renderer import Renderer, encode
from fairlab.latent import PARTNERS, Hyperplane, partner, plane_coordinates

from .small_lab import LATENT_DIM, cells, drawn, generator, green, planes, red, renderer

N = 80
Z = sample_latents(N, LATENT_DIM, seed=2)
ORDERED = Z[np.argsort(planes()["Male"].distance(Z))]


@pytest.fixture
def view():
    view = HyperplaneView(renderer(), n=N, seed=2)
    assert view.error.value == ""
    return view


def other(z, kind="mirrored"):
    return partner(z, protected=planes()["Male"], target=planes()["Smiling"], kind=kind)


def on_page(z):
    return plane_coordinates(np.atleast_2d(z), planes()["Smiling"], planes()["Male"])


def click(view, place, shift=(0.0, 0.0)):
    """Click where a point of the page (x, y) is drawn, or a few pixels beside it."""
    pixels = view._overlay.to_pixels(view._axis, [place])[0] + shift
    view.plane.clicked = list(pixels / view._overlay.size)


def assert_shows(view, row, kind="mirrored"):
    """Faces, numbers, words, ring and arrow are those of one point."""
    pair = np.concatenate([ORDERED[[row]], other(ORDERED[[row]], kind)])
    assert view.point.value == row
    assert view.faces.value == encode(drawn(pair), FACE)
    table = cells(view.numbers.value)
    assert table["Smiling score"] == [f"{s:.2f}" for s in red(drawn(pair))]
    assert [float(x) for x in table["Male distance"]] == pytest.approx(
        planes()["Male"].distance(pair), abs=0.0052
    )
    start, end = on_page(pair)
    assert np.ravel(view._ring.get_data()) == pytest.approx(start)
    assert view._arrow.xyann == pytest.approx(tuple(start))
    assert view._arrow.xy == pytest.approx(tuple(end))
    assert f"Point {row} of {N}, labelled" in view.read_out.value


def test_it_starts_in_the_middle_and_knows_all_points(view):
    assert_shows(view, N // 2)
    np.testing.assert_array_equal(view.z, ORDERED)
    np.testing.assert_allclose(view.coordinates, on_page(ORDERED))


def test_the_slider_goes_from_the_negative_side_to_the_positive(view):
    distances = []
    for row in range(N):
        view.point.value = row
        distances.append(float(cells(view.numbers.value)["Male distance"][0]))
    assert (view.point.min, view.point.max) == (0, N - 1)
    assert distances == sorted(distances)
    assert distances[0] < 0 < distances[-1]


def test_choosing_another_point_changes_both_pictures_and_their_words(view):
    plane, faces = view.plane, view.faces
    seen = {(view.plane.value, view.faces.value, view.plane.alt)}
    for row in (0, 33, N - 1):
        view.point.value = row
        assert_shows(view, row)
        assert f"Point {row} of {N}" in view.plane.alt
        assert f"{N} latents and both hyperplanes." in view.plane.alt
        seen.add((view.plane.value, view.faces.value, view.plane.alt))
    assert [len(set(parts)) for parts in zip(*seen, strict=True)] == [4, 4, 4]
    assert (view.plane, view.faces) == (plane, faces)


@pytest.mark.parametrize("row", [0, 11, 40, N - 1])
def test_a_click_at_a_point_chooses_it(view, row):
    view.point.value = 20
    click(view, on_page(ORDERED[row])[0])
    assert_shows(view, row)


def test_a_click_beside_a_point_chooses_the_nearest(view):
    places = view._overlay.to_pixels(view._axis, on_page(ORDERED))
    click(view, on_page(ORDERED[50])[0], shift=(9.0, -6.0))

    far = np.hypot(*(places - (places[50] + [9.0, -6.0])).T)
    assert view.point.value == far.argmin()
    view.plane.clicked = [0.0, 1.0]  # bottom left
    assert view.point.value == np.hypot(*(places - [0, view._overlay.size[1]]).T).argmin()


@pytest.mark.parametrize("kind", PARTNERS)
def test_another_kind_is_another_arrow(view, kind):
    view.point.value = 3
    view.kind.value = kind
    assert_shows(view, 3, kind)


def dark(picture):
    return np.asarray(picture).astype(int).max(axis=-1) < 60


def test_the_arrow_is_drawn_from_z_to_its_partner(view):
    view.point.value = 10
    arrow = dark(view._overlay.picture([view._arrow])) & ~dark(view._overlay.picture([]))

    start, end = view._overlay.to_pixels(
        view._axis, on_page(np.stack([ORDERED[10], other(ORDERED[[10]])[0]]))
    )
    rows, columns = np.nonzero(arrow)
    inked = np.stack([columns, rows], axis=1) + 0.5
    for share in (0.2, 0.5, 0.8):
        assert np.hypot(*(inked - (start + share * (end - start))).T).min() < 2
    assert np.hypot(*(inked - end).T).min() < 6
    assert np.asarray(Image.open(io.BytesIO(view.plane.value))).shape[:2] == arrow.shape


def test_an_arrow_that_leaves_the_page_is_drawn_too():
    far = {"Smiling": planes()["Smiling"], "Male": Hyperplane(planes()["Male"].normal, 6.0)}  # all are Male
    view = HyperplaneView(Renderer(generator(), {}, far), Z, {"Smiling": Z[:, 0] > 0, "Male": Z[:, 1] > 0})

    assert view.error.value == ""
    place = view._arrow.xy[1]
    assert not view._axis.get_ylim()[0] < place < view._axis.get_ylim()[1]
    with_arrow, without = (np.asarray(view._overlay.picture(shown)) for shown in ([view._arrow], []))
    assert (with_arrow != without).any()


def test_labels_are_those_of_the_classifiers_unless_given(view):
    np.testing.assert_array_equal(view.labels["Smiling"], red(drawn(ORDERED)) > 0.5)
    np.testing.assert_array_equal(view.labels["Male"], green(drawn(ORDERED)) > 0.5)

    given = {"Smiling": np.arange(N) % 2, "Male": np.arange(N) // 2 % 2}
    other_view = HyperplaneView(Renderer(generator(), {}, planes()), Z, given)
    order = np.argsort(planes()["Male"].distance(Z))
    for row in (0, 1, 2, 3, N - 1):
        other_view.point.value = row
        names = [f"{'' if given[name][order[row]] else 'not '}{name}" for name in ("Smiling", "Male")]
        assert f"labelled {names[0]} and {names[1]};" in other_view.read_out.value
        assert f"labelled {names[0]} and {names[1]};" in other_view.plane.alt


def test_the_caption_counts_latents_on_the_side_of_their_label(view):
    for name, score in (("Smiling", red), ("Male", green)):
        right = (planes()[name].distance(Z) > 0) == (score(drawn(Z)) > 0.5)
        assert f"{100 * right.mean():.1f}% for {name}" in view.caption.value
    cosine = planes()["Smiling"].cosine(planes()["Male"])
    assert f"{np.degrees(np.arccos(cosine)):.0f}° apart (cosine {cosine:.2f})" in view.caption.value


def test_of_very_many_latents_both_sides_are_drawn():
    z = sample_latents(2600, LATENT_DIM, seed=0)
    view = HyperplaneView(
        Renderer(generator(), {}, planes()), z, {"Smiling": z[:, 0] > 0, "Male": z[:, 1] > 0}
    )

    assert view.error.value == ""
    points = np.concatenate([group.get_offsets() for group in view._axis.collections])
    assert len(points) == 2000
    along = on_page(z)[:, 1]
    assert points[:, 1].mean() == pytest.approx(along.mean(), abs=0.05)
    assert points[:, 1].std() == pytest.approx(along.std(), abs=0.05)


def test_roles_can_be_turned_round():
    view = HyperplaneView(renderer(), Z, target="Male", protected="Smiling")

    distances = planes()["Smiling"].distance(view.z)
    assert (np.diff(distances) >= 0).all()
    assert "Point, from not Smiling to Smiling" in static_html(view)
    view.point.value = 5
    expected = partner(view.z[[5]], protected=planes()["Smiling"], target=planes()["Male"])
    assert view.faces.value == encode(drawn(np.concatenate([view.z[[5]], expected])), FACE)


def test_a_failure_is_text_until_the_generator_draws_again(view):
    view.renderer.generator.module.broken = True
    shown = view.faces.value

    click(view, on_page(ORDERED[7])[0])
    assert "RuntimeError: the pencil &lt;broke&gt; (in forward, " in view.error.value
    assert "UserError" not in view.error.value
    assert view.faces.value == shown

    view.renderer.generator.module.broken = False
    view.point.value = 8
    assert view.error.value == ""
    assert_shows(view, 8)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"Smiling": np.zeros(N)}, "labels of Male are missing"),
        ({"Smiling": np.zeros(N), "Male": np.zeros(N + 1)}, r"labels of Male .* shape \(81,\)"),
        ({"Smiling": np.zeros(N - 1), "Male": np.zeros(N)}, r"labels of Smiling .* shape \(79,\)"),
        (None, "no classifier of 'Smiling'"),
    ],
)
def test_missing_labels_are_named(labels, message):
    with pytest.raises(UserError, match=message):
        HyperplaneView(Renderer(generator(), {}, planes()), Z, labels)


def test_without_a_kernel_it_is_two_pictures_with_words(view):
    view.point.value = 12
    static = static_html(view)

    assert static.count('src="data:image/jpeg;base64,') == 2
    assert f'alt="{N} latents and both hyperplanes. Point 12 of {N}, labelled' in static
    assert "Point, from not Male to Male: <b>12</b>" in static
