"""The bias dial, turned without a browser: the same faces, with other labels."""

import io
import re
import warnings

import numpy as np
import pytest
from PIL import Image

from fairlab.core.errors import UserError
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.associations import reachable_association
from fairlab.data.synthfaces.law import sample_factors
from fairlab.lab import dial as dial_module
from fairlab.lab.dial import BiasDial
from fairlab.lab.dialled import DialledFaces
from fairlab.lab.face_rows import FACE, GAP, MARGIN, FaceRow, face_rows
from fairlab.lab.panel import static_html

N = 600


@pytest.fixture
def dial():
    dial = BiasDial("Eyeglasses", "Male", n=N, shown=2, size=32)
    assert dial.error.value == ""
    return dial


def counted(dial):
    """The table as {protected group: (faces, with target, without target)}."""
    rows = re.findall(r"<tr>(.*?)</tr>", dial.table.value)[1:]
    texts = [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]
    return {name: tuple(int(text.split(" ")[0].replace(",", "")) for text in rest) for name, *rest in texts}


def expected(target, protected, phi, n=N):
    truth = sample_factors(n, seed=0, associations={(target, protected): phi}, stream="dial").truth
    y, a = (truth[:, ATTRIBUTES.index(name)] for name in (target, protected))
    return y, a


def test_it_begins_with_celebas_own_association(dial):
    natural = sample_factors(N, seed=0, stream="dial").truth
    y, a = natural[:, ATTRIBUTES.index("Eyeglasses")], natural[:, ATTRIBUTES.index("Male")]

    assert dial.phi.value == pytest.approx(0.200, abs=0.002)
    assert covers_the_reach(dial, "Eyeglasses", "Male")
    assert counted(dial)["Male"] == (a.sum(), (y & a).sum(), ((1 - y) & a).sum())
    assert f"0 of {N} faces (0.0%) have another label" in dial.words.value


def test_turning_it_changes_table_words_and_picture(dial):
    picture, before = dial.picture, dial.picture.value
    natural = sample_factors(N, seed=0, stream="dial").truth

    dial.phi.value = -0.15

    y, a = expected("Eyeglasses", "Male", -0.15)
    for group, name in enumerate(("not Male", "Male")):
        labels = y[a == group]
        assert counted(dial)[name] == (len(labels), labels.sum(), len(labels) - labels.sum())
    assert f"{100 * y[a == 0].mean():.1f}% of the faces labelled not Male are labelled" in dial.words.value
    assert f"{np.corrcoef(y, a)[0, 1]:+.3f}".replace("-", "−") in dial.words.value
    moved = (natural[:, ATTRIBUTES.index("Eyeglasses")] != y).sum()
    assert moved > 0
    assert f"{moved} of {N} faces" in dial.words.value
    assert dial.picture is picture
    assert dial.picture.value != before


def test_the_interval_covers_the_phi_that_was_asked_for():
    covered = 0
    for seed in range(20):
        dial = BiasDial("Smiling", "Male", n=500, shown=1, size=32, seed=seed)
        dial.phi.value = 0.3
        low, high = re.search(r"\[(.*?), (.*?)\] \(95%", dial.words.value).groups()
        covered += float(low) <= 0.3 <= float(high)
    assert covered >= 16


def test_the_button_goes_back_to_celebas_own(dial):
    own, picture, words = dial.phi.value, dial.picture.value, dial.words.value
    dial.phi.value = 0.0
    assert dial.picture.value != picture

    dial.own.click()

    assert (dial.phi.value, dial.picture.value, dial.words.value) == (own, picture, words)


@pytest.mark.parametrize(
    ("target", "protected"), [("Smiling", "Young"), ("Male", "Smiling"), ("Bald", "No_Beard")]
)
def test_another_pair_has_its_own_range_without_an_error_between(dial, target, protected):
    errors = []
    dial.error.observe(lambda change: errors.append(change.new), names="value")

    dial.protected.value = protected  # first: the target may be Male
    dial.target.value = target

    assert errors == []
    assert covers_the_reach(dial, target, protected)
    assert dial.phi.min <= dial.phi.value <= dial.phi.max
    y, a = expected(target, protected, reachable_association(target, protected)[1])
    dial.phi.value = dial.phi.max
    assert errors == []
    name = protected.replace("_", " ")
    assert counted(dial)[name] == (a.sum(), (y & a).sum(), ((1 - y) & a).sum())


def test_every_pair_of_names_can_follow_any_other(dial, monkeypatch):
    """The slider's limits change with no error in any order: narrow to wide, and back."""
    monkeypatch.setattr(BiasDial, "draw", lambda self: None)  # the range only: drawing is tested elsewhere
    for name in np.random.default_rng(0).permutation([name for name in ATTRIBUTES if name != "Male"]):
        dial.target.value = str(name)
        assert dial.error.value == ""
        assert covers_the_reach(dial, str(name), "Male")


def test_one_attribute_twice_is_a_sentence_and_loses_nothing(dial):
    dial.phi.value = 0.1
    picture, table = dial.picture.value, dial.table.value

    dial.protected.value = "Eyeglasses"
    assert "Target and protected attribute are both" in dial.error.value
    dial.phi.value = 0.12
    assert "Target and protected attribute are both" in dial.error.value
    assert (dial.picture.value, dial.table.value) == (picture, table)

    dial.protected.value = "Male"
    assert dial.error.value == ""
    assert dial.phi.value == pytest.approx(0.2, abs=0.002)


def test_an_exception_shows_as_text(dial, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(dial_module, "draw_faces", lambda *args: 1 / 0)
        dial.phi.value = 0.05
        assert "ZeroDivisionError" in dial.error.value

    dial.phi.value = 0.06
    assert dial.error.value == ""


def test_an_empty_combination_is_said(dial):
    dial.phi.value = dial.phi.max  # nobody who is not Male wears glasses

    assert counted(dial)["not Male"][1] == 0
    assert "No face is labelled Eyeglasses, not Male." in dial.words.value


def test_without_a_kernel_it_is_a_picture_with_words(dial):
    static = static_html(dial)

    assert 'src="data:image/jpeg;base64,' in static
    assert 'alt="Faces in four rows: Eyeglasses, Male; ' in static
    assert "of the faces labelled not Male" in static
    assert "annotators&#x27; labels of how a face appears" in static
    assert "target: <b>Eyeglasses</b>" in static


def test_few_faces_leave_phi_undefined_not_wrong():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dial = BiasDial("Bald", "Male", n=1, shown=1, size=32)

    assert dial.error.value == ""
    assert "Phi of these 1 faces is n/a" in dial.words.value


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        ({"target": "Eyeglases"}, "did you mean 'Eyeglasses'"),
        ({"n": 0}, "must be at least 1"),
        ({"shown": 0}, "must be at least 1"),
        ({"seed": -1}, "at least 0"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(UserError, match=message):
        BiasDial(**mistake)


def test_a_size_that_is_not_drawn_is_a_sentence():
    assert "SynthFaces are drawn at" in BiasDial(n=50, size=50).error.value


@pytest.mark.parametrize(
    ("target", "protected"),
    [("Smiling", "Young"), ("Bald", "Gray_Hair"), ("Smiling", "Male"), ("Male", "Young")],
)
@pytest.mark.parametrize("place", [0.0, 0.37, 1.0])
def test_dialled_faces_are_those_of_the_label_law(target, protected, place):
    faces = DialledFaces(target, protected, 300, 4)
    phi = faces.low + place * (faces.high - faces.low)

    one = faces.at(phi)
    other = sample_factors(300, seed=4, associations={(target, protected): phi}, stream="dial")

    assert np.array_equal(one.traits, other.traits)
    assert np.array_equal(one.nuisance, other.nuisance)


def test_only_the_moved_attribute_differs():
    faces = DialledFaces("Smiling", "Young", 300, 0)
    differs = (faces.at(0.3).traits != faces.natural.traits).any(axis=0)
    assert [ATTRIBUTES[index] for index in np.flatnonzero(differs)] == ["Smiling"]


@pytest.mark.parametrize(
    ("target", "protected"), [("Smiling", "Male"), ("Male", "Heavy_Makeup"), ("Bangs", "Young")]
)
def test_own_association_is_that_of_the_drawn_faces(target, protected):
    faces = DialledFaces(target, protected, 20000, 0)
    truth = faces.natural.truth
    measured = np.corrcoef(*(truth[:, ATTRIBUTES.index(name)] for name in (target, protected)))[0, 1]
    assert faces.own == pytest.approx(measured, abs=0.025)


def test_rows_place_faces_and_frames():
    grey = np.full((2, 8, 8, 3), 100, dtype=np.uint8)
    rows = [FaceRow("a", "2", grey, np.array([False, True])), FaceRow("b", "0", grey[:0], np.array([], bool))]
    picture = np.asarray(Image.open(io.BytesIO(face_rows(rows, 2)))).astype(int)

    assert picture.shape == (2 * (FACE + GAP) + GAP, MARGIN + 2 * (FACE + GAP), 3)
    centre = GAP + FACE // 2
    first, second = (MARGIN + column * (FACE + GAP) for column in (0, 1))
    assert abs(picture[centre, first + FACE // 2] - 100).max() < 4
    assert abs(picture[centre, first + 1] - 100).max() < 12
    red, green, blue = picture[centre, second]
    assert red > green + 60 > blue  # vermilion
    assert (picture[FACE + 2 * GAP :, MARGIN + FACE :] > 240).all()  # no face in the second row


def covers_the_reach(dial, target, protected):
    """Whether the slider spans what the pair can reach, rounded outwards to its steps."""
    low, high = reachable_association(target, protected)
    return low - 0.01 < dial.phi.min <= low and high <= dial.phi.max < high + 0.01
