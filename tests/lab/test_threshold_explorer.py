"""The threshold explorer, driven without a browser: sliders move, numbers and pictures follow."""

import re
import warnings

import numpy as np
import pytest

from fairlab.core.errors import UserError
from fairlab.lab import threshold_explorer
from fairlab.lab.panel import static_html
from fairlab.lab.threshold_explorer import ThresholdExplorer
from fairlab.metrics import calibrated_threshold

from .examples import labels, scores


@pytest.fixture
def faces():
    y, a = labels(800)
    return y, {"baseline": scores(y, a, 1.0), "debiased": scores(y, a, 0.2, seed=1)}, a


@pytest.fixture
def explorer(faces):
    explorer = ThresholdExplorer(*faces, target="Smiling", protected_name="Male")
    assert explorer.error.value == ""
    return explorer


def cells(explorer):
    """The table's rows as text, by their first cell."""
    rows = re.findall(r"<tr>(.*?)</tr>", explorer.table.value)
    texts = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return {first: rest for first, *rest in texts}


def number(text):
    return float(re.split(r" [\[(]", text)[0].replace("−", "-"))


def missed(y, s, a, group, threshold):
    return 100 * np.mean(s[(y == 1) & (a == group)] <= threshold)


def test_it_starts_calibrated_and_says_so(faces, explorer):
    y, by_model, _ = faces
    expected = {name: calibrated_threshold(y, s) for name, s in by_model.items()}

    assert explorer.thresholds == pytest.approx(expected)
    assert "calibrated on these very faces" in static_html(explorer)


def test_given_thresholds_are_used_and_named(faces):
    explorer = ThresholdExplorer(*faces, thresholds={"baseline": 0.3, "debiased": 0.6})

    assert explorer.thresholds == {"baseline": 0.3, "debiased": 0.6}
    assert "start at the thresholds given" in static_html(explorer)


def test_moving_a_slider_changes_the_numbers_the_words_and_the_picture(faces, explorer):
    y, by_model, a = faces
    before = explorer.picture.value, explorer.words.value, cells(explorer)
    picture = explorer.picture

    explorer.sliders["debiased"].value = 0.7

    table, s = cells(explorer), by_model["debiased"]
    rates = [missed(y, s, a, group, 0.7) for group in (0, 1)]
    assert number(table["Missed, not Male (FNR)"][1]) == pytest.approx(rates[0], abs=0.051)
    assert number(table["Missed, Male (FNR)"][1]) == pytest.approx(rates[1], abs=0.051)
    assert number(table["Gap in missed faces (DEO)"][1]) == pytest.approx(abs(rates[0] - rates[1]), abs=0.051)
    assert number(table["Accuracy"][1]) == pytest.approx(100 * np.mean((s > 0.7) == y), abs=0.051)
    for row in list(table)[1:]:
        assert number(table[row][0]) == number(before[2][row][0])  # the baseline stands
    assert table["Accuracy"][3] == f"800 ({y.sum()})"
    assert f"misses {rates[0]:.1f}% of the Smiling faces labelled not Male" in explorer.words.value
    assert explorer.picture is picture
    assert explorer.picture.value != before[0]
    assert explorer.picture.value[:2] == b"\xff\xd8"


def test_the_difference_is_paired(explorer):
    table = cells(explorer)
    for row in ("Accuracy", "Missed, Male (FNR)", "Bias amplification (BA)"):
        baseline, debiased, difference = map(number, table[row][:3])
        assert difference == pytest.approx(debiased - baseline, abs=0.11)


def test_one_threshold_for_all_models(explorer):
    start = explorer.thresholds

    explorer.shared.value = True
    explorer.sliders["baseline"].value = 0.25

    assert explorer.thresholds == {"baseline": 0.25, "debiased": 0.25}
    assert "threshold of all models" in static_html(explorer)
    assert "threshold of de-biased" not in static_html(explorer)  # a slider without effect is not shown
    explorer.shared.value = False
    assert explorer.thresholds == {"baseline": 0.25, "debiased": start["debiased"]}
    assert "threshold of de-biased" in static_html(explorer)


def test_the_button_goes_back_to_the_start(explorer):
    start, words, picture = explorer.thresholds, explorer.words.value, explorer.picture.value
    explorer.sliders["debiased"].value = 0.9
    explorer.shared.value = True

    explorer.reset.click()

    assert explorer.thresholds == start
    assert (explorer.words.value, explorer.picture.value) == (words, picture)
    assert not explorer.shared.value


def test_one_model_has_no_differences_and_no_shared_threshold(faces):
    y, by_model, a = faces
    explorer = ThresholdExplorer(y, {"<b>mine</b>": by_model["baseline"]}, a)

    assert len(cells(explorer)["Accuracy"]) == 2  # value, count
    assert "one threshold" not in static_html(explorer)
    assert "<b>mine" not in explorer.table.value
    assert "&lt;b&gt;mine" in explorer.table.value


def test_a_group_without_positives_is_named(faces):
    y, by_model, a = faces
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the table says it; a warning at every move would bury it
        explorer = ThresholdExplorer(y * (a == 0), by_model, a, protected_name="Male")

    assert explorer.error.value == ""
    assert cells(explorer)["Missed, Male (FNR)"][0] == "n/a (0 positives in Male)"
    assert "n/a (0 positives in Male)" in explorer.words.value


def test_an_exception_shows_as_text_and_goes_away(explorer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(threshold_explorer, "at_threshold", lambda *args, **kwargs: 1 / 0)
        explorer.sliders["baseline"].value = 0.11
        assert "ZeroDivisionError" in explorer.error.value

    explorer.sliders["baseline"].value = 0.12
    assert explorer.error.value == ""


def test_without_a_kernel_it_is_a_picture_with_words(explorer):
    static = static_html(explorer)

    assert 'src="data:image/jpeg;base64,' in static
    assert "classifier misses" in static
    assert "<table" in static


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {}}, "scores must be a dict"),
        ({"scores": [0.1, 0.2]}, "scores must be a dict"),
        ({"thresholds": {"other": 0.5}}, "threshold of 'm' is missing"),
        ({"thresholds": {"m": 1.5}}, "threshold of 'm' is 1.5"),
        ({"y_true": [0, 0, 0]}, "None of 3 labels is positive"),
        ({"protected": [0, 1]}, "protected must have shape"),
    ],
)
def test_mistakes_are_named(change, message):
    mistaken = {"y_true": [0, 1, 1], "scores": {"m": [0.1, 0.5, 0.9]}, "protected": [0, 1, 0]} | change
    with pytest.raises(UserError, match=message):
        ThresholdExplorer(**mistaken)
