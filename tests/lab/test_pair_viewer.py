"""The pair viewer, driven without a browser: pairs, filters, kinds and the way from z to z'."""

import re

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.generators import sample_latents
from fairlab.lab.pair_viewer import FACE, FILTERS, STRIP_FACE, WAY, Pairs, PairViewer
from fairlab.lab.panel import static_html
from fairlab.lab.renderer import Renderer, encode
from fairlab.latent import PARTNERS, partner

from .small_lab import LATENT_DIM, THRESHOLDS, cells, drawn, generator, green, planes, red, renderer

N = 60
Z = sample_latents(N, LATENT_DIM, seed=3)


@pytest.fixture
def viewer():
    viewer = PairViewer(renderer(), n=N, seed=3)
    assert viewer.error.value == ""
    return viewer


def partners(kind="mirrored"):
    return partner(Z, protected=planes()["Male"], target=planes()["Smiling"], kind=kind)


def outcomes(kind="mirrored"):
    """Whether each pair keeps the target label and flips the protected one, from the pictures' colours."""
    images = drawn(Z), drawn(partners(kind))
    smiling, male = ([score(faces) > 0.5 for faces in images] for score in (red, green))
    return smiling[0] == smiling[1], male[0] != male[1]


def rows_of(which, kind="mirrored"):
    kept, flipped = outcomes(kind)
    return {
        "all": list(range(N)),
        "target label lost": [i for i in range(N) if not kept[i]],
        "protected label not flipped": [i for i in range(N) if not flipped[i]],
        "both as intended": [i for i in range(N) if kept[i] and flipped[i]],
    }[which]


def way(row, steps, kind="mirrored"):
    z, other = Z[row].astype(float), partners(kind)[row]
    return np.stack([z + step * (other - z) for step in steps])


def assert_shows(viewer, row, kind="mirrored"):
    """The pictures, numbers and words are those of one pair."""
    step = viewer.step.value
    faces = drawn(way(row, [0, step, 1], kind))
    assert viewer.picture.value == encode(faces, FACE)
    table = cells(viewer.numbers.value)
    assert table[""] == ["z", f"{100 * step:.0f}% of the way", "z&#x27;"]
    assert table["Smiling score"] == [f"{s:.2f}" for s in red(faces)]
    assert table["Male score"] == [f"{s:.2f}" for s in green(faces)]
    distances = planes()["Male"].distance(way(row, [0, step, 1], kind))
    assert [float(x) for x in table["Male distance"]] == pytest.approx(distances, abs=0.0052)
    kept, flipped = (outcome[row] for outcome in outcomes(kind))
    said = (
        f"The label Smiling is {'kept' if kept else 'lost'}, Male {'flipped' if flipped else 'not flipped'}."
    )
    assert f"Pair {row}: " in viewer.read_out.value
    assert said in viewer.read_out.value
    strip = drawn(way(row, np.linspace(0, 1, 7), kind))
    assert viewer.strip.value == encode(strip, STRIP_FACE)
    assert cells(viewer.strip_numbers.value)["Smiling score"] == [f"{s:.2f}" for s in red(strip)]


def test_these_pairs_have_every_outcome():
    assert all(0 < len(rows_of(which)) < N for which in FILTERS[1:])


def test_it_starts_with_the_first_pair_and_the_count(viewer):
    kept, flipped = outcomes()

    assert_shows(viewer, 0)
    shares = re.findall(rf"([\d.]+)% \[[\d., ]+\] \(n = {N}\)", viewer.summary.value)
    assert shares == [f"{100 * x.mean():.1f}" for x in (kept, flipped, kept & flipped)]
    assert f"{N} of {N} pairs shown." in viewer.summary.value


def test_the_slider_goes_through_the_pairs(viewer):
    picture, strip = viewer.picture, viewer.strip
    for row in (7, N - 1, 1):
        viewer.pair.value = row
        assert_shows(viewer, row)
    assert (viewer.picture, viewer.strip) == (picture, strip)


@pytest.mark.parametrize("which", FILTERS)
def test_a_filter_shows_exactly_its_pairs(viewer, which):
    viewer.show_only.value = "all" if which != "all" else "both as intended"
    viewer.pair.value = 5
    viewer.show_only.value = which

    expected = rows_of(which)
    assert viewer.pair.value == 0
    assert viewer.pair.max == len(expected) - 1
    assert f"{len(expected)} of {N} pairs shown." in viewer.summary.value
    shown = []
    for place in range(viewer.pair.max + 1):
        viewer.pair.value = place
        shown.append(int(re.search(r"Pair (\d+):", viewer.read_out.value)[1]))
    assert shown == expected
    assert_shows(viewer, expected[-1])
    assert viewer.error.value == ""


def test_a_filter_that_lets_nothing_through_says_so_and_can_be_left():
    scores = {"Smiling": lambda images: np.zeros(len(images)), "Male": green}
    viewer = PairViewer(Renderer(generator(), scores, planes(), thresholds=THRESHOLDS), Z)
    start = viewer.picture.value, viewer.strip.value

    viewer.show_only.value = "target label lost"
    assert viewer.error.value == ""
    assert "No pair of this kind is: target label lost." in viewer.read_out.value
    assert f"0 of {N} pairs shown." in viewer.summary.value
    assert (viewer.picture.value, viewer.strip.value, viewer.numbers.value) == (b"", b"", "")
    assert viewer.row is None
    assert "<img" not in static_html(viewer)
    viewer.step.value = 0.2  # with no pair there is nothing to move
    assert viewer.error.value == ""

    viewer.show_only.value = "all"
    viewer.step.value = 0.5
    assert (viewer.picture.value, viewer.strip.value) == start
    assert viewer.pair.max == N - 1


@pytest.mark.parametrize(("step", "end"), [(0.0, 0), (1.0, 2)])
def test_the_step_slider_ends_at_z_and_at_its_partner(viewer, step, end):
    viewer.pair.value = 2
    strip = viewer.strip.value
    viewer.step.value = step

    ends = drawn(np.stack([Z[2], partners()[2]]))
    three = [ends[0], ends[end // 2], ends[1]]
    assert viewer.picture.value == encode(np.stack(three), FACE)
    for row in ("Smiling score", "Male score", "Smiling distance", "Male distance"):
        numbers = cells(viewer.numbers.value)[row]
        assert numbers[1] == numbers[end]
        assert numbers[0] != numbers[2] or row == "Smiling distance"
    assert viewer.strip.value == strip  # the whole way does not depend on the step


@pytest.mark.parametrize("kind", PARTNERS)
def test_another_kind_is_another_partner(viewer, kind):
    viewer.pair.value = 4
    viewer.kind.value = kind

    kept, flipped = outcomes(kind)
    viewer.pair.value = 4
    assert_shows(viewer, 4, kind)
    shares = re.findall(rf"([\d.]+)% \[[\d., ]+\] \(n = {N}\)", viewer.summary.value)
    assert shares == [f"{100 * x.mean():.1f}" for x in (kept, flipped, kept & flipped)]


def test_a_filter_stays_with_another_kind(viewer):
    viewer.show_only.value = "protected label not flipped"
    viewer.kind.value = "on_hyperplane"

    expected = rows_of("protected label not flipped", "on_hyperplane")
    assert expected != rows_of("protected label not flipped")
    assert viewer.row == expected[0]
    assert_shows(viewer, expected[0], "on_hyperplane")


def test_pairs_of_a_kind_are_made_once(viewer):
    squares = viewer.renderer.generator.module
    viewer.kind.value = "perpendicular"
    made = squares.calls
    viewer.kind.value = "mirrored"
    viewer.kind.value = "perpendicular"
    assert squares.calls == made


def test_latents_and_roles_can_be_given():
    viewer = PairViewer(renderer(), Z[:5], target="Male", protected="Smiling", kind="perpendicular")

    other = partner(Z[:5], protected=planes()["Smiling"], target=planes()["Male"], kind="perpendicular")
    z = np.stack([Z[0], (Z[0] + other[0]) / 2, other[0]])
    assert viewer.picture.value == encode(drawn(z), FACE)
    assert viewer.pair.max == 4
    assert "keep the label Male" in viewer.summary.value


def test_a_failure_is_text_until_the_generator_draws_again(viewer):
    viewer.renderer.generator.module.broken = True
    shown = viewer.picture.value

    viewer.pair.value = 8
    assert "RuntimeError: the pencil &lt;broke&gt; (in forward, " in viewer.error.value
    assert "UserError" not in viewer.error.value
    assert viewer.picture.value == shown
    viewer.kind.value = "perpendicular"
    assert "RuntimeError: the pencil &lt;broke&gt; (in forward, " in viewer.error.value

    viewer.renderer.generator.module.broken = False
    viewer.kind.value = "mirrored"
    assert viewer.error.value == ""
    viewer.pair.value = 9
    assert_shows(viewer, 9)


@pytest.mark.parametrize(
    ("classifiers", "thresholds", "sentence"),
    [
        ({"Smiling": red}, THRESHOLDS, "There is no classifier of &#x27;Male&#x27;"),
        ({"Smiling": red, "Male": green}, {"Male": 0.5}, "There is no threshold of &#x27;Smiling&#x27;"),
    ],
)
def test_what_is_missing_to_label_faces_is_said(classifiers, thresholds, sentence):
    viewer = PairViewer(Renderer(generator(), classifiers, planes(), thresholds=thresholds), Z)

    assert sentence in viewer.error.value
    assert ".py" not in viewer.error.value


def test_one_plane_makes_no_pairs():
    with pytest.raises(UserError, match="Pairs need two hyperplanes"):
        PairViewer(renderer("Male"))


def test_pairs_compare_the_labels_that_classifiers_give():
    pairs = Pairs.make(renderer(), Z, "Smiling", "Male", "mirrored")

    kept, flipped = outcomes()
    np.testing.assert_array_equal(pairs.kept, kept)
    np.testing.assert_array_equal(pairs.flipped, flipped)
    np.testing.assert_allclose(pairs.partners, partners(), rtol=0, atol=1e-12)
    for which in FILTERS:
        assert pairs.chosen(which).tolist() == rows_of(which)
    with pytest.raises(UserError, match="did you mean 'mirrored'"):
        Pairs.make(renderer(), Z, "Smiling", "Male", "miror")


def test_without_a_kernel_it_is_two_pictures_with_words(viewer):
    viewer.pair.value = 6
    static = static_html(viewer)

    assert static.count('src="data:image/jpeg;base64,') == 2
    assert "Pair: <b>6</b>" in static
    assert "Kind of partner: <b>mirrored</b>" in static
    assert "Show pairs: <b>all</b>" in static
    assert len(WAY) == len(cells(viewer.strip_numbers.value)["way from z to z&#x27;"])
