"""Report of a run: its sections, in order, with the sentences beside each picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fairlab.core.estimate import Estimate
from fairlab.core.files import load_array, read_json_lines
from fairlab.evaluation.results import classifiers, scores_and_thresholds
from fairlab.experiments.run import Run
from fairlab.figures import plots, tables
from fairlab.figures.faces import (
    face_grid,
    first_of_groups,
    kept_and_flipped,
    label_words,
    pair_grid,
    score_words,
)
from fairlab.figures.plane import Line, latent_plane
from fairlab.figures.summary import summarise
from fairlab.latent import plane_basis, plane_coordinates
from fairlab.methods.latent_pairs.generated import GeneratedFaces
from fairlab.metrics.spec import reported
from fairlab.reports.page import Page, Section


@dataclass(frozen=True)
class RunReport(Page):
    """What a run found: baseline against de-biased classifier.

    Attributes
    ----------
    table : DataFrame
        As in `fairlab.figures.tables`; summary from `summarise`.
    truth : dict of str to Estimate, optional
        What the drawn faces' known factors say of the pairs: "target label kept", "protected label flipped".
    groups : dict of str to (int, int)
        Evaluation pictures and positives of each group, from `fairlab.figures.tables.group_counts`.
    """

    template: ClassVar[str] = "studies/run/page.html.j2"

    truth: Mapping[str, Estimate] | None = None
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        """Return the rows of the table as readers see them, and what the metrics mean.

        Raises
        ------
        UserError
            If the table lacks rows of the whole evaluation set.
        """
        measured = set(self.table["metric"])
        return {
            "rows": tables.comparison(self.table).to_dict("records"),
            "meanings": [spec for name, spec in reported().items() if name in measured],
        }


def report(
    run: Run, table: pd.DataFrame, facts: dict[str, Any], truth: dict[str, Estimate] | None
) -> RunReport:
    """Return the report of a run from its table, its manifest and, for SynthFaces, the truth of its pairs."""
    target, protected = run.names.values()
    return RunReport(
        title=f"{target} without {protected}: what de-biasing changed",
        summary=[*run.label_notes(), *summarise(table, target, protected)],
        table=table,
        groups=tables.group_counts(*_labels(run, "test"), protected),
        sections=[
            _label_section(run),
            _face_section(run),
            *([_generated_section(run)] if isinstance(run.experiment.method, GeneratedFaces) else []),
            *([_plane_section(run), _pair_section(run)] if run.experiment.makes_pairs else []),
            _histogram_section(run),
            _metric_section(table),
            _curve_section(run),
        ],
        facts=_facts(facts),
        truth=truth,
    )


def _labels(run: Run, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return target and protected labels, each (n,)."""
    return run.data.label(run.names["target"], split), run.data.label(run.names["protected"], split)


def _label_section(run: Run) -> Section:
    y, a = _labels(run, "train")
    return Section(
        "The training labels",
        "A classifier uses whatever is correlated with the target. How unevenly is it spread?",
        plots.label_table(y, a, **run.names),
    )


def _face_section(run: Run) -> Section:
    (target, protected), (y, a) = run.names.values(), _labels(run, "train")
    chosen = first_of_groups(y, a)
    return Section(
        "Training faces",
        "The four groups of labels, six faces each.",
        face_grid(
            run.images("train")[chosen],
            label_words({target: y[chosen], protected: a[chosen]}),
            caption=f"{len(chosen)} of {len(y):,} training faces.",
            columns=6,
        ),
    )


def _generated_section(run: Run) -> Section:
    images, labels = run.pairs(0).all_images, run.pairs(0).all_labels
    rows = np.arange(24)
    shown = label_words({name: labels[role][rows] for role, name in run.names.items()})
    shares = ", ".join(f"{100 * labels[role].mean():.1f}% {name}" for role, name in run.names.items())
    return Section(
        "Generated faces",
        "What the generator draws from random latents, with the labels that the classifiers give.",
        face_grid(
            images[rows],
            shown,
            caption=f"{len(rows)} of {len(images):,} generated faces. Labelled: {shares}.",
        ),
    )


def _plane_section(run: Run) -> Section:
    pairs, rows = run.pairs(0), run.pairs(0).method.held_out_rows
    target, protected = (pairs.planes[role] for role in ("target", "protected"))
    basis, partners = plane_basis(target, protected), load_array(pairs.partners.folder / "z.npy")
    points, start, end = (
        plane_coordinates(z, target, protected) for z in (pairs.all_z[rows], pairs.z[:8], partners[:8])
    )
    lines = Line.of(target, basis, run.names["target"]), Line.of(protected, basis, run.names["protected"])
    y, a = (pairs.all_labels[role][rows] for role in ("target", "protected"))
    return Section(
        "Latents and hyperplanes",
        "Held-out latents in the plane of the two normals. A straight line should separate the labels.",
        latent_plane(points, y, a, lines, (start, end)),
    )


def _pair_section(run: Run, shown: int = 16) -> Section:
    pairs, names = run.pairs(0), run.names
    folder = pairs.scores().folder
    scores = np.stack([load_array(folder / f"{role}.npy") for role in names], axis=2)  # (n, z or z', role)
    limits = [pairs.thresholds[role] for role in names]
    before, after = np.moveaxis((scores > limits).astype(np.uint8), 1, 0)  # (n, role) each
    words = [
        [score_words(dict(zip(names.values(), face, strict=True))) for face in pair]
        for pair in scores[:shown]
    ]
    below = [(z, partner) for z, partner in words]
    partners = load_array(pairs.partners.folder / "images.npy", mapped=True)
    return Section(
        "Pairs",
        "Each z and its partner z': the target should stay, the protected attribute should flip.",
        pair_grid(
            pairs.images[:shown], partners[:shown], below, caption=kept_and_flipped(before, after, **names)
        ),
    )


def _histogram_section(run: Run) -> Section:
    (target, protected), (y, a) = run.names.values(), _labels(run, "test")
    scores, thresholds = scores_and_thresholds(run)
    first = {model: values[0] for model, values in scores.items()}
    limits = {model: float(values[0]) for model, values in thresholds.items()}
    return Section(
        "Scores by group",
        "Within one true label, both groups should be scored alike (first training seed).",
        plots.score_histograms(first, y, a, limits, target=target, protected_name=protected),
    )


def _metric_section(table: pd.DataFrame) -> Section:
    return Section(
        "Metrics",
        "Both classifiers on the same test images; the difference is paired.",
        plots.metric_bars(table),
    )


def _curve_section(run: Run) -> Section:
    steps = classifiers(run, 0)
    curves = {model: read_json_lines(step.folder / "curve.jsonl") for model, step in steps.items()}
    return Section(
        "Training",
        "Loss and validation AP by epoch: how long each classifier kept learning.",
        plots.learning_curves(curves, score="average_precision"),
    )


def _facts(facts: dict[str, Any]) -> dict[str, str]:
    experiment, planes = facts["experiment"], facts["hyperplanes"]
    return {
        "Data": f"{facts['data']['name']}: "
        + ", ".join(f"{n:,} {s}" for s, n in facts["data"]["images"].items()),
        **({"Notes on the data": " ".join(notes)} if (notes := facts["data"].get("notes")) else {}),
        "Method": ", ".join(f"{name} {value}" for name, value in experiment["method"].items()),
        **(_plane_facts(planes[0]) if planes else {}),
        "Training seeds": ", ".join(map(str, facts["training_seeds"])),
        "Device": facts["device"],
        "Versions": ", ".join(f"{name} {version}" for name, version in facts["versions"].items()),
        "Seconds": ", ".join(f"{name} {seconds:.0f}" for name, seconds in facts["seconds"].items()),
    }


def _plane_facts(planes: dict[str, Any]) -> dict[str, str]:
    accuracy = "; ".join(
        f"{role} {100 * planes[role]['held_out_accuracy']:.1f}% (always guessing: "
        f"{100 * planes[role]['held_out_majority']:.1f}%)"
        for role in ("target", "protected")
    )
    return {
        "Hyperplanes, held-out accuracy": accuracy,
        "Angle between normals": f"{planes['angle_degrees']:.0f}°",
    }
