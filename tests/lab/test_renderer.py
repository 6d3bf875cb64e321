"""A picture is a function of its arguments: what is drawn and measured, and what is said when it fails."""

import io

import numpy as np
import pytest
from PIL import Image

from fairlab.classifiers import Classifier, Recipe
from fairlab.classifiers.networks import build_network
from fairlab.core.errors import UserError
from fairlab.generators import sample_latents
from fairlab.lab.renderer import GAP, Renderer, encode
from fairlab.latent import Hyperplane

from .small_lab import LATENT_DIM, drawn, generator, green, planes, red, renderer, walked

Z = sample_latents(3, LATENT_DIM, seed=5)


def opened(frame):
    return Image.open(io.BytesIO(frame.jpeg))


def test_it_measures_what_it_draws():
    frame = renderer().frame(Z, size=32)

    assert frame.error == ""
    assert frame.jpeg == encode(drawn(Z), 32)
    assert {name: s.tolist() for name, s in frame.scores.items()} == {
        "Smiling": red(drawn(Z)).tolist(),
        "Male": green(drawn(Z)).tolist(),
    }
    assert list(frame.distances) == list(planes())
    for name, plane in planes().items():
        assert frame.distances[name] == pytest.approx(plane.distance(Z), abs=1e-4)


@pytest.mark.parametrize(("n", "size"), [(1, 48), (3, 20)])
def test_faces_stand_side_by_side_in_a_jpeg(n, size):
    picture = opened(renderer().frame(Z[:n], size=size))

    assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert picture.size == (n * size + (n - 1) * GAP, size)
    for column in range(n):
        centre = picture.getpixel((column * (size + GAP) + size // 2, size // 2))
        assert list(centre) == pytest.approx(drawn(Z)[column, 0, 0].tolist(), abs=6)  # JPEG is not exact


def test_one_latent_needs_no_second_dimension():
    assert renderer().frame(Z[0]).jpeg == renderer().frame(Z[:1]).jpeg


def test_steps_move_latents_and_keep_the_other_distances():
    steps = {"Male": 1.5, "Wearing_Hat": -0.5}
    frame = renderer().frame(Z, steps)

    assert frame.jpeg == encode(drawn(walked(Z, steps)), 256)
    for name, plane in planes().items():
        assert frame.distances[name] == pytest.approx(plane.distance(Z) + steps.get(name, 0), abs=1e-4)


def test_without_conditioning_a_step_goes_along_the_normal():
    frame = renderer().frame(Z, {"Male": 1.5}, conditioned=False)

    moved = Z + 1.5 * planes()["Male"].normal
    assert frame.jpeg == encode(drawn(moved), 256)
    assert frame.distances["Smiling"] == pytest.approx(planes()["Smiling"].distance(moved), abs=1e-4)
    assert np.abs(frame.distances["Smiling"] - planes()["Smiling"].distance(Z)).min() > 0.5


def test_every_latent_can_have_its_own_step():
    steps = np.array([-2.0, 0.0, 1.0])
    frame = renderer().frame(Z, {"Smiling": steps})

    expected = planes()["Smiling"].distance(Z) + steps
    assert frame.distances["Smiling"] == pytest.approx(expected, abs=1e-4)
    assert frame.distances["Male"] == pytest.approx(planes()["Male"].distance(Z), abs=1e-4)


def test_the_same_arguments_draw_once_and_others_draw_anew():
    lab = renderer()
    squares = lab.generator.module
    first = lab.frame(Z, {"Male": 1.0}, size=32)

    assert lab.frame(Z.copy(), {"Male": 1.0}, size=32).jpeg == first.jpeg
    assert lab.frame(Z + 1e-6, {"Male": 1.0, "Smiling": 0.0}, size=32).jpeg == first.jpeg
    assert squares.calls == 1
    others = [
        lab.frame(Z, {"Male": 1.1}, size=32),
        lab.frame(Z, {"Male": 1.0}, size=33),
        lab.frame(Z, {"Male": 1.0}, size=32, conditioned=False),
        lab.frame(Z[::-1], {"Male": 1.0}, size=32),
    ]
    assert squares.calls == 5
    assert len({frame.jpeg for frame in [first, *others]}) == 5


def test_drawing_leaves_latents_as_they_are():
    z = Z.copy()
    lab = renderer()
    lab.frame(z, {"Male": 1.0})

    np.testing.assert_array_equal(z, Z)
    assert lab.walked(z, {}).dtype == np.float64


def test_a_failure_is_text_and_is_not_kept():
    lab = renderer()
    lab.generator.module.broken = True
    failed = lab.frame(Z)

    assert "RuntimeError: the pencil <broke> (in forward, " in failed.error
    assert (failed.jpeg, failed.scores, failed.distances) == (b"", {}, {})
    lab.generator.module.broken = False
    assert lab.frame(Z).error == ""
    assert lab.frame(Z).jpeg == encode(drawn(Z), 256)


@pytest.mark.parametrize(
    ("z", "steps", "sentence"),
    [
        (Z, {"Smilling": 1.0}, "There is no hyperplane of 'Smilling'; did you mean 'Smiling'?"),
        (Z[:, :5], {}, "The latents have shape (3, 5); the generator takes (n, 8)."),
        (Z[:, :5], {"Male": 1.0}, "These latents have 5 dimensions but the hyperplane has 8"),
        (np.full((1, 8), np.nan), {}, "1 of 1 latents hold NaN or infinity"),
    ],
)
def test_mistakes_are_sentences_without_a_place_in_the_code(z, steps, sentence):
    error = renderer().frame(z, steps).error

    assert error.startswith(sentence)
    assert ".py" not in error


def test_a_plane_of_another_generator_is_refused():
    with pytest.raises(UserError, match=r"hyperplane of Male has 5 dimensions .* latents have 8"):
        Renderer(generator(), {}, {"Male": Hyperplane(np.ones(5), 0.0)})


def test_without_planes_and_classifiers_there_is_still_a_picture():
    frame = Renderer(generator(), {}).frame(Z)

    assert frame.jpeg == encode(drawn(Z), 256)
    assert (dict(frame.scores), dict(frame.distances)) == ({}, {})


def test_classifiers_get_images_of_the_size_asked_for():
    seen = []

    def score(images):
        seen.append((images.shape, images.dtype))
        return red(images)

    frame = Renderer(generator(), {"Smiling": score}, image_size=24).frame(Z)
    assert frame.error == ""
    assert seen == [((3, 24, 24, 3), np.uint8)]


def test_a_column_of_scores_will_do():
    lab = Renderer(generator(), {"Smiling": lambda images: red(images)[:, None]})
    assert lab.frame(Z).scores["Smiling"].tolist() == red(drawn(Z)).tolist()


@pytest.mark.parametrize(
    ("score", "shape"),
    [
        (lambda images: np.stack([red(images), green(images)], axis=1), r"(3, 2)"),
        (lambda images: red(images)[:2], r"(2,)"),
        (lambda images: 0.5, r"()"),
        (lambda images: 2 + red(images), r"(3,)"),
        (lambda images: red(images) - 2, r"(3,)"),
        (lambda images: np.full(len(images), np.nan), r"(3,)"),
    ],
)
def test_what_is_no_score_is_said_of_its_classifier(score, shape):
    frame = Renderer(generator(), {"Smiling": score}).frame(Z)

    assert frame.error == (
        "The classifier of Smiling must give 3 scores in [0, 1] for 3 images, but gave an array of "
        f"shape {shape}; wrap it in a function that returns shape (n,)."
    )
    assert frame.jpeg == b""


@pytest.fixture(scope="module")
def network():
    recipe = Recipe(backbone="resnet10", width=8, resize=16, crop=16, padding=2, precision="float32")
    return Classifier(("Smiling", "Bangs"), recipe, build_network(recipe, 2, seed=3))


def test_a_fairlab_classifier_gives_the_column_of_its_attribute(network):
    frame = Renderer(generator(), {"Bangs": network, "Smiling": network}).frame(Z)

    expected = network.score(drawn(Z), progress=False)
    assert frame.error == ""
    assert frame.scores["Smiling"].tolist() == expected[:, 0].tolist()
    assert frame.scores["Bangs"].tolist() == expected[:, 1].tolist()
    assert np.abs(expected[:, 0] - expected[:, 1]).min() > 1e-3  # or the columns could not be told apart


def test_a_classifier_that_does_not_know_the_attribute_is_refused(network):
    with pytest.raises(UserError, match="does not know 'Smilin'; did you mean 'Smiling'"):
        Renderer(generator(), {"Smilin": network})


def test_labels_are_scores_above_the_threshold():
    lab = Renderer(generator(), {"Smiling": red}, thresholds={"Smiling": 0.4})

    labels = lab.labels({"Smiling": np.array([0.39, 0.4, 0.41])}, "Smiling")
    assert labels.tolist() == [0, 0, 1]
    with pytest.raises(UserError, match=r"no classifier of 'Male'.*classifiers=\{...\}"):
        lab.labels({"Smiling": np.array([0.4])}, "Male")
    with pytest.raises(UserError, match=r"no threshold of 'Male'.*thresholds=\{...\}"):
        lab.labels({"Male": np.array([0.4])}, "Male")


def test_roles_are_the_first_two_planes_or_those_named():
    lab = renderer()

    assert lab.roles(None, None) == ("Smiling", "Male")
    assert lab.roles("Male", "Wearing_Hat") == ("Male", "Wearing_Hat")
    assert lab.roles(None, "Wearing_Hat") == ("Smiling", "Wearing_Hat")
    with pytest.raises(UserError, match="no hyperplane of 'Mal'; did you mean 'Male'"):
        lab.roles("Smiling", "Mal")
    with pytest.raises(UserError, match="both 'Male'"):
        lab.roles("Male", None)
    with pytest.raises(UserError, match="Pairs need two hyperplanes"):
        renderer("Smiling").roles(None, None)
