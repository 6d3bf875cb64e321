"""The table and figures of several methods show the numbers that were measured."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fairlab.figures.effects import effect_table, effects, effects_by_target
from fairlab.metrics import compare_attributes

TARGETS = ["Big_Nose", "Young", "Smiling"]
METHODS = ("latent_pairs", "unpaired_faces")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def measured(targets, methods):
    """A table as of a grid whose methods differ from the baseline by more and more noise."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({name: rng.integers(0, 2, 400) for name in targets})
    a = rng.integers(0, 2, 400)
    scores = {
        model: {
            name: np.clip(0.5 * labels[name] + 0.15 * a + (0.3 + 0.1 * i) * rng.random(400), 0, 1)
            for name in targets
        }
        for i, model in enumerate(("baseline", *methods))
    }
    means = {"gender-independent": ["Smiling", "Bangs"], "all targets": targets}
    options = {"means": means, "n_resamples": 40}
    tables = [compare_attributes(labels, scores, a, baseline=b, **options) for b in ("baseline", methods[0])]
    return pd.concat(tables).drop_duplicates(["model", "attribute", "group", "metric"], ignore_index=True)


@pytest.fixture(scope="module")
def table():
    return measured(TARGETS, METHODS)


def row(table, attribute, model, metric):
    chosen = table[(table["attribute"] == attribute) & (table["model"] == model)]
    return chosen[(chosen["metric"] == metric) & ~chosen["group"].str.startswith("not")].iloc[0]


def cells(markdown):
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    return lines[0], lines[2:]


def numbers(text):
    return [float(n) for n in re.findall(r"[-+−]?\d+\.\d+", text.replace("−", "-"))]


def shown(found, scale=100.0):
    corrected = [] if np.isnan(found["corrected"]) or " - " in found["model"] else ["corrected"]
    return [scale * found[name] for name in ("value", *corrected, "low", "high")]


def test_the_table_has_a_block_for_each_mean_the_widest_first(table):
    header, lines = cells(effect_table(table, METHODS))
    assert header == ["mean over", "method", "DEO", "BA", "KL", "AP", "DEO, less latent_pairs's"]
    assert [line[:2] for line in lines] == [
        ["all targets (3)", "baseline"],
        ["", "latent_pairs"],
        ["", "unpaired_faces"],
        ["gender-independent (1)", "baseline"],
        ["", "latent_pairs"],
        ["", "unpaired_faces"],
    ]
    assert all(len(line) == len(header) for line in lines)


def test_its_cells_are_the_measured_differences_with_intervals(table):
    _, lines = cells(effect_table(table, METHODS))
    for line, model in ((lines[0], "baseline"), (lines[2], "unpaired_faces - baseline")):
        for cell, metric in ((line[2], "DEO"), (line[5], "AP")):
            assert numbers(cell) == pytest.approx(shown(row(table, "all targets", model, metric)), abs=0.051)
    against_first = shown(row(table, "all targets", "unpaired_faces - latent_pairs", "DEO"))
    assert numbers(lines[2][6]) == pytest.approx(against_first, abs=0.051)
    assert lines[0][6] == lines[1][6] == ""


def test_of_one_method_there_is_no_column_against_the_first():
    header, lines = cells(effect_table(measured(TARGETS, METHODS[:1]), METHODS[:1]))
    assert header[-1] == "AP"
    assert all(len(line) == len(header) for line in lines)


def test_of_one_target_its_own_rows_are_shown():
    single = measured(["Smiling"], METHODS)
    _, lines = cells(effect_table(single, METHODS))
    assert [line[0] for line in lines] == ["Smiling", "", ""]
    assert numbers(lines[0][5]) == pytest.approx(shown(row(single, "Smiling", "baseline", "AP")), abs=0.051)
    assert effects(single, METHODS).text.startswith("Change of DEO against the baseline, Smiling: ")


def marks(axis):
    """The value of every mark of a panel, by its legend's label, from top to bottom."""
    return {bars.get_label(): bars.lines[0].get_xdata() for bars in axis.containers}


def test_the_figure_marks_every_method_for_every_mean(table):
    figure = effects(table, METHODS).figure
    assert len(figure.axes) == 4
    deo, ap = figure.axes[0], figure.axes[3]
    assert [label.get_text() for label in deo.get_yticklabels()] == ["latent pairs", "unpaired faces"]
    assert "DEO" in deo.get_xlabel()
    assert "AP" in ap.get_xlabel()
    for axis, metric in ((deo, "DEO"), (ap, "AP")):
        for title, attribute in (("all targets (3)", "all targets"), ("gender-independent (1)",) * 2):
            attribute = attribute.removesuffix(" (1)")
            expected = [100 * row(table, attribute, f"{v} - baseline", metric)["value"] for v in METHODS]
            assert np.allclose(marks(axis)[title], expected)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["all targets (3)", "gender-independent (1)"]


def test_the_figure_by_target_marks_every_target_for_every_method(table):
    figure = effects_by_target(table, METHODS).figure
    deo, ap = figure.axes
    assert [label.get_text() for label in deo.get_yticklabels()] == ["Big Nose", "Young", "Smiling"]
    for axis, metric in ((deo, "DEO"), (ap, "AP")):
        for label, method in (("latent pairs", "latent_pairs"), ("unpaired faces", "unpaired_faces")):
            expected = [100 * row(table, t, f"{method} - baseline", metric)["value"] for t in TARGETS]
            assert np.allclose(marks(axis)[label], expected)


def test_more_methods_than_looks_are_not_squeezed_into_one_figure():
    many = [f"method_{i}" for i in range(7)]
    table = measured(TARGETS[:2], many)
    assert len(effects(table, many).figure.axes[0].get_yticklabels()) == 7
    assert len(marks(effects_by_target(table, many).figure.axes[0])) < 7


def test_the_caption_says_in_words_what_the_figure_shows(table):
    caption = effects(table, METHODS).text
    assert caption.startswith("Change of DEO against the baseline, all targets (3): latent pairs ")
    assert caption.endswith(".")
    first, second = caption.split("; ")
    assert "unpaired faces" in second
    for text, method in ((first.split(": ")[1], "latent_pairs"), (second, "unpaired_faces")):
        expected = shown(row(table, "all targets", f"{method} - baseline", "DEO"))
        assert numbers(text) == pytest.approx(expected, abs=0.051)
