"""The table and figures of several variants say the numbers that were measured."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fairlab.figures.variant_plots import effect_table, effects, effects_by_target
from fairlab.metrics import compare_attributes

TARGETS = ["Big_Nose", "Young", "Smiling"]
VARIANTS = ("just_across", "unpaired")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def measured(targets, variants):
    """A table as of a grid whose variants differ from the baseline by more and more noise."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({name: rng.integers(0, 2, 400) for name in targets})
    a = rng.integers(0, 2, 400)
    scores = {
        model: {
            name: np.clip(0.5 * labels[name] + 0.15 * a + (0.3 + 0.1 * i) * rng.random(400), 0, 1)
            for name in targets
        }
        for i, model in enumerate(("baseline", *variants))
    }
    means = {"gender-independent": ["Smiling", "Bangs"], "all targets": targets}
    options = {"means": means, "n_resamples": 40}
    tables = [compare_attributes(labels, scores, a, baseline=b, **options) for b in ("baseline", variants[0])]
    return pd.concat(tables).drop_duplicates(["model", "attribute", "group", "metric"], ignore_index=True)


@pytest.fixture(scope="module")
def table():
    return measured(TARGETS, VARIANTS)


def row(table, attribute, model, metric):
    chosen = table[(table["attribute"] == attribute) & (table["model"] == model)]
    return chosen[(chosen["metric"] == metric) & ~chosen["group"].str.startswith("not")].iloc[0]


def cells(markdown):
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    return lines[0], lines[2:]


def numbers(text):
    return [float(n) for n in re.findall(r"[-+−]?\d+\.\d+", text.replace("−", "-"))]


def shown(found, scale=100.0):
    return [scale * found[name] for name in ("value", "low", "high")]


def test_the_table_has_a_block_for_each_mean_the_widest_first(table):
    header, lines = cells(effect_table(table, VARIANTS))
    assert header == ["mean over", "variant", "DEO", "BA", "KL", "AP", "DEO, less just_across's"]
    assert [line[:2] for line in lines] == [
        ["all targets (3)", "baseline"],
        ["", "just_across"],
        ["", "unpaired"],
        ["gender-independent (1)", "baseline"],
        ["", "just_across"],
        ["", "unpaired"],
    ]
    assert all(len(line) == len(header) for line in lines)


def test_its_cells_are_the_measured_differences_with_intervals(table):
    _, lines = cells(effect_table(table, VARIANTS))
    for line, model in ((lines[0], "baseline"), (lines[2], "unpaired - baseline")):
        for cell, metric in ((line[2], "DEO"), (line[5], "AP")):
            assert numbers(cell) == pytest.approx(shown(row(table, "all targets", model, metric)), abs=0.051)
    against_first = shown(row(table, "all targets", "unpaired - just_across", "DEO"))
    assert numbers(lines[2][6]) == pytest.approx(against_first, abs=0.051)
    assert lines[0][6] == lines[1][6] == ""


def test_of_one_variant_there_is_no_column_against_the_first():
    header, lines = cells(effect_table(measured(TARGETS, VARIANTS[:1]), VARIANTS[:1]))
    assert header[-1] == "AP"
    assert all(len(line) == len(header) for line in lines)


def test_of_one_target_its_own_rows_are_shown():
    single = measured(["Smiling"], VARIANTS)
    _, lines = cells(effect_table(single, VARIANTS))
    assert [line[0] for line in lines] == ["Smiling", "", ""]
    assert numbers(lines[0][5]) == pytest.approx(shown(row(single, "Smiling", "baseline", "AP")), abs=0.051)
    assert effects(single, VARIANTS).text.startswith("Change of DEO against the baseline, Smiling: ")


def marks(axis):
    """The value of every mark of a panel, by its legend's label, from top to bottom."""
    return {bars.get_label(): bars.lines[0].get_xdata() for bars in axis.containers}


def test_the_figure_marks_every_variant_for_every_mean(table):
    figure = effects(table, VARIANTS).figure
    assert len(figure.axes) == 4
    deo, ap = figure.axes[0], figure.axes[3]
    assert [label.get_text() for label in deo.get_yticklabels()] == ["just across", "unpaired"]
    assert "DEO" in deo.get_xlabel()
    assert "AP" in ap.get_xlabel()
    for axis, metric in ((deo, "DEO"), (ap, "AP")):
        for title, attribute in (("all targets (3)", "all targets"), ("gender-independent (1)",) * 2):
            attribute = attribute.removesuffix(" (1)")
            expected = [100 * row(table, attribute, f"{v} - baseline", metric)["value"] for v in VARIANTS]
            assert np.allclose(marks(axis)[title], expected)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["all targets (3)", "gender-independent (1)"]


def test_the_figure_by_target_marks_every_target_for_every_variant(table):
    figure = effects_by_target(table, VARIANTS).figure
    deo, ap = figure.axes
    assert [label.get_text() for label in deo.get_yticklabels()] == ["Big Nose", "Young", "Smiling"]
    for axis, metric in ((deo, "DEO"), (ap, "AP")):
        for label, variant in (("just across", "just_across"), ("unpaired", "unpaired")):
            expected = [100 * row(table, t, f"{variant} - baseline", metric)["value"] for t in TARGETS]
            assert np.allclose(marks(axis)[label], expected)


def test_more_variants_than_looks_are_not_squeezed_into_one_figure():
    many = [f"variant_{i}" for i in range(7)]
    table = measured(TARGETS[:2], many)
    assert len(effects(table, many).figure.axes[0].get_yticklabels()) == 7
    assert len(marks(effects_by_target(table, many).figure.axes[0])) < 7


def test_the_caption_says_in_words_what_the_figure_shows(table):
    caption = effects(table, VARIANTS).text
    assert caption.startswith("Change of DEO against the baseline, all targets (3): just across ")
    assert caption.endswith(".")
    first, second = caption.split("; ")
    assert "unpaired" in second
    for text, variant in ((first.split(": ")[1], "just_across"), (second, "unpaired")):
        expected = shown(row(table, "all targets", f"{variant} - baseline", "DEO"))
        assert numbers(text) == pytest.approx(expected, abs=0.051)
