"""All eight notebooks run headlessly on a smoke run, and say what they said when their text was written."""

from __future__ import annotations

import html
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from fairlab.lab.executed import VIEW, results

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))

#: Named results on the smoke preset with Eyeglasses and Male: what to expect, and how far off is still right.
#: Shares of labels depend on the seed alone; what tiny networks say depends on the machine as well.
EXPECTED: dict[str, dict[str, tuple[float, float]]] = {
    "00_biased_faces": {
        "phi of target and protected": (0.19462130, 1e-8),
        "AP of the protected label alone": (0.12833632, 1e-8),
        "AP of random scores": (107 / 1500, 1e-12),
    },
    "01_classifier_training": {
        "baseline AP": (0.18, 0.08),
        "baseline AP_balanced": (0.12, 0.06),
        "baseline DEO": (0.27, 0.2),
        "baseline BA": (0.014, 0.04),
        "baseline KL": (1.9, 1.5),
    },
    "02_latent_sampling": {
        "phi, training labels": (0.19462130, 1e-8),
        "phi, generated, classifiers": (0.30, 0.15),
        "phi, generated, reader": (0.1973, 0.01),
    },
    "03_hyperplanes": {
        "held-out accuracy, target": (0.77, 0.12),
        "held-out accuracy, protected": (0.72, 0.12),
        "angle between normals (range over trainings)": (73, 20),
    },
    "04_pairs": {
        "pairs with both labels right, by reader": (0.34, 0.15),
        "other attributes changed per pair, by reader": (5.3, 1.5),
        "partner did both, all pairs": (0.34, 0.15),
    },
    "05_metric_tables": {
        "difference in AP": (-0.04, 0.08),
        "difference in AP_balanced": (-0.025, 0.06),
        "difference in DEO": (-0.09, 0.25),
        "difference in BA": (-0.013, 0.05),
        "difference in KL": (0.6, 2.5),
    },
    "06_extensions": {
        "angle between the groups' target planes (range over trainings)": (94, 25),
        "the same, groups drawn by lot (range over draws)": (86, 15),
        "gain in accuracy by its own plane, not Male": (0.075, 0.15),
        "gain in accuracy by its own plane, Male": (-0.024, 0.15),
        "pairs with both labels right, gain by planes by group": (0.01, 0.1),
        "flip Male, all as intended": (0.305, 0.15),
        "flip Young, all as intended": (0.068, 0.1),
        "flip Male and Young, all as intended": (0.05, 0.1),
        "pixel error in grey levels, inverted": (16.96, 1.5),
        "pixel error in grey levels, nearest of 256 random faces": (33.61, 0.1),
        "accuracy with 1% positives, Eyeglasses": (0.89, 0.1),
        "accuracy with 50% positives, Eyeglasses": (0.55, 0.12),
        "accuracy with 1% positives, Male": (0.66, 0.12),
        "accuracy with 50% positives, Male": (0.74, 0.12),
        "AP of Eyeglasses minus AP of Male": (-0.32, 0.15),
    },
    "07_ground_truth": {
        "flip rate, baseline": (0.06, 0.06),
        "flip rate, debiased": (0.04, 0.06),
        "flip rate, debiased - baseline": (-0.025, 0.06),
        "both, partners": (0.34, 0.15),
        "both, exact counterfactuals": (0.975, 0.01),
        "both, random pairs": (0.3867, 0.02),
        "other attributes changed, partners": (5.3, 1.5),
        "other attributes changed, exact counterfactuals": (1.7075, 0.05),
        "other attributes changed, random pairs": (10.61, 0.1),
        "cosine, target plane and marginal trait": (0.07, 0.15),
        "cosine, target plane and partial trait": (-0.09, 0.2),
        "cosine, protected plane and drawn counterfactuals": (0.31, 0.15),
        "cosine, protected plane and marginal trait": (0.46, 0.12),
        "cosine, protected plane and partial trait": (0.06, 0.15),
        "protected present, 2 along plane normal": (0.88, 0.15),
        "protected present, 2 along drawn counterfactuals": (0.8, 0.15),
        "other attributes changed, 2 along plane normal": (8.0, 1.5),
        "other attributes changed, 2 along drawn counterfactuals": (6.3, 1.5),
        "ROC AUC, network - plane, target": (-0.06, 0.08),
        "ROC AUC, network - plane, protected": (-0.06, 0.05),
        "wrong labels of z, all": (0.13, 0.12),
        "wrong labels of z, not protected": (0.05, 0.1),
        "wrong labels of z, protected": (0.22, 0.2),
        "wrong labels of z', all": (0.12, 0.12),
        "wrong labels of z', not protected": (0.065, 0.1),
        "wrong labels of z', protected": (0.18, 0.2),
    },
}
#: Widgets that each notebook shows.
WIDGETS = dict.fromkeys(EXPECTED, 1) | {"03_hyperplanes": 2}


@pytest.fixture(scope="module")
def executed(smoke_home: Path) -> Path:
    """Folder of the executed notebooks."""
    command = [sys.executable, "-m", "fairlab", "notebooks", "--preset", "smoke", "--home", str(smoke_home)]
    finished = subprocess.run(command, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return smoke_home / "runs" / "synthfaces-smoke-Eyeglasses-Male" / "notebooks"


@pytest.fixture(params=NAMES)
def notebook(request: pytest.FixtureRequest, executed: Path) -> tuple[str, Any]:
    return request.param, nbformat.read(executed / f"{request.param}.ipynb", as_version=4)


def outputs(content: Any) -> list[Any]:
    return [output for cell in content.cells for output in cell.get("outputs", [])]


def test_named_results_are_as_expected(notebook: tuple[str, Any]):
    name, content = notebook
    found, expected = results(content), EXPECTED[name]
    assert set(found) == set(expected)
    for what, (value, tolerance) in expected.items():
        assert found[what]["value"] == pytest.approx(value, abs=tolerance), what


def test_every_result_has_a_count_and_an_interval_around_it(notebook: tuple[str, Any]):
    for what, found in results(notebook[1]).items():
        assert found["n"] > 0, what
        if "KL" not in what:  # whose mirrored interval may lie below the value, in small samples
            assert found["low"] <= found["value"] <= found["high"], what


def test_every_widget_leaves_a_picture_and_its_words(notebook: tuple[str, Any]):
    name, content = notebook
    panels = [
        out["data"] for out in outputs(content) if VIEW in out.get("data", {}) and "text/html" in out["data"]
    ]
    assert len(panels) == WIDGETS[name]
    for panel in panels:
        assert "data:image/jpeg;base64," in panel["text/html"]
        assert 'role="status"' in panel["text/html"]
        assert 'role="alert"' not in panel["text/html"]


def test_an_executed_notebook_is_small_and_has_its_page(notebook: tuple[str, Any], executed: Path):
    name, _ = notebook
    assert (executed / f"{name}.ipynb").stat().st_size < 2e6
    page = (executed / f"{name}.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert page.count("data:image/") >= 3


def test_the_index_leads_to_all_pages_and_shows_their_results(executed: Path):
    index = html.unescape((executed / "index.html").read_text(encoding="utf-8"))
    for name, expected in EXPECTED.items():
        assert f'href="{name}.html"' in index
        assert all(what in index for what in expected)


def test_plain_papermill_runs_a_notebook_too(smoke_home: Path, tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(NOTEBOOKS / "00_biased_faces.ipynb"),
        str(tmp_path / "out.ipynb"),
    ]
    command += ["-p", "preset", "smoke", "-p", "home", str(smoke_home)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    found = results(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert set(found) == set(EXPECTED["00_biased_faces"])
