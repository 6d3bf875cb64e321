"""Links between notebooks are generated, and generating them again changes nothing."""

import copy

import nbformat
import pytest

from fairlab.core.errors import UserError
from fairlab.studies.notebooks.navigation import TAG, as_text, main, navigated, read_notebooks

from .made_notebooks import code, markdown, notebook, write

HEADINGS = {
    "00_faces": "# 0 · Faces\n\nFaces, e.g. drawn\nones. More words.",
    "01_latent_space": "# 1 · The latent space\n\nOne sentence only",
    "02_pairs": "# 2 · Pairs",
}


def three():
    made = {name: notebook(code("x = 1"), heading=heading) for name, heading in HEADINGS.items()}
    made["02_pairs"].cells.insert(1, markdown("## Why\n\nPairs flip *one* label. And so on."))
    return made


def sources(made):
    return [cell.source for cell in made.cells if TAG in cell.metadata.get("tags", ())]


def test_the_first_notebook_lists_all_with_their_first_sentences():
    top, bottom = sources(navigated(three())["00_faces"])
    assert top.splitlines() == [
        "- **0 · Faces**: Faces, e.g. drawn ones.",
        "- [1 · The latent space](01_latent_space.ipynb): One sentence only",
        "- [2 · Pairs](02_pairs.ipynb): Pairs flip *one* label.",
    ]
    assert bottom == "Next: [1 · The latent space](01_latent_space.ipynb) →"


def test_the_others_link_to_all_and_to_their_neighbours():
    top, bottom = sources(navigated(three())["01_latent_space"])
    assert top == "[0 Faces](00_faces.ipynb) | **1 Latent space** | [2 Pairs](02_pairs.ipynb)"
    assert bottom == "← Previous: [0 · Faces](00_faces.ipynb) | Next: [2 · Pairs](02_pairs.ipynb) →"
    assert (
        sources(navigated(three())["02_pairs"])[1]
        == "← Previous: [1 · The latent space](01_latent_space.ipynb)"
    )


def test_the_cells_stand_after_the_heading_and_at_the_end_with_steady_names():
    made = navigated(three())["01_latent_space"]
    assert made.cells[1].id == "nav-top"
    assert made.cells[-1].id == "nav-bottom"
    assert made.cells[0].source == HEADINGS["01_latent_space"]
    nbformat.validate(made)


def test_what_is_given_stays_and_a_second_time_changes_nothing():
    given = three()
    before = copy.deepcopy(given)
    once = navigated(given)
    assert given == before
    assert navigated(once) == once


def test_a_notebook_without_heading_is_refused():
    made = three()
    made["02_pairs"].cells[0].source = "No heading"
    with pytest.raises(UserError, match="02_pairs"):
        navigated(made)


def test_files_are_written_in_jupyters_form_and_only_when_they_change(tmp_path, capsys):
    for name, heading in HEADINGS.items():
        write(tmp_path / f"{name}.ipynb", code("print('é')"), heading=heading)
    main(tmp_path)
    assert capsys.readouterr().out.count("new navigation") == 3
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    texts = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.iterdir())]
    assert texts == [as_text(made) for made in read_notebooks(tmp_path).values()]
    assert all(text.startswith('{\n "cells": [\n') and text.endswith("}\n") and "é" in text for text in texts)
    main(tmp_path)
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
