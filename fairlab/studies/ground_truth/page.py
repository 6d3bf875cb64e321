"""Page of a run's ground truth: its sections, in order, with the sentences beside each picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from fairlab.core.files import load_array
from fairlab.evaluation.results import MODELS
from fairlab.experiments.run import Run
from fairlab.figures import truth_plots
from fairlab.figures.faces import pair_grid
from fairlab.figures.intervals import dots
from fairlab.figures.style import MODEL_NAMES, readable, with_or_without
from fairlab.methods.settings import label_of
from fairlab.metrics.intervals.proportion import proportion
from fairlab.reports.page import Page, Section
from fairlab.studies.ground_truth.counterfactuals import counterfactual_faces
from fairlab.studies.ground_truth.examples import best_and_worst, pair_changes
from fairlab.studies.ground_truth.fidelity import EXACT, PARTNERS
from fairlab.studies.ground_truth.findings import findings_rows, sentences
from fairlab.workspace.reader import shipped_oracle

Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class TruthReport(Page):
    """What was measured; its table is that of `fairlab.studies.ground_truth.findings.findings`."""

    template: ClassVar[str] = "studies/ground_truth/page.html.j2"

    def context(self) -> dict[str, Any]:
        """Return the rows of the table as text."""
        return {"rows": findings_rows(self.table)}


def report(run: Run, tables: Tables, n: int) -> TruthReport:
    """Return the page of a run from the tables of `execute.measure` and their summary.

    Parameters
    ----------
    run : Run
    tables : mapping of str to DataFrame
    n : int
        Number of faces that were drawn twice.
    """
    e = run.experiment
    return TruthReport(
        title=f"{e.target} without {e.protected}: where the method's assumptions hold",
        summary=sentences(tables["summary"], e.target, e.protected),
        table=tables["summary"],
        sections=[
            _exact_section(run, n),
            *_pair_sections(run),
            _count_section(tables["changed_counts"]),
            _attribute_section(tables["attributes"]),
            _nuisance_section(tables["nuisance"]),
            _direction_section(tables["directions"]),
            _effect_section(tables["direction_effects"], e.protected),
            _linearity_section(tables["linearity"]),
            _label_section(tables["label_noise"]),
            _classifier_section(tables["classifiers"], e.protected),
        ],
        facts=_facts(run),
    )


def _exact_section(run: Run, n: int) -> Section:
    faces, protected = counterfactual_faces(run, n), run.experiment.protected
    return Section(
        "Exact counterfactuals",
        "What a perfect partner looks like: the same drawing with only the protected attribute changed.",
        pair_grid(
            faces.absent[:8],
            faces.present[:8],
            caption=f"8 of {len(faces.factors):,} test faces, drawn twice.",
            row_names=with_or_without(readable(protected)),
        ),
    )


def _pair_sections(run: Run) -> Iterator[Section]:
    changes = pair_changes(run)
    partners = load_array(run.pairs(0).partners.folder / "images.npy", mapped=True)
    both = proportion(int((changes["kept"] & changes["flipped"]).sum()), len(changes))
    chosen = best_and_worst(changes)
    titles = (
        ("Pairs that did both and changed least", "The best eight: is it the same face?"),
        ("Pairs that changed most", "The worst eight: hardly anything is left of the face."),
    )
    for rows, (title, why) in zip(chosen, titles, strict=True):
        if len(rows):
            below = [("", f"{count} others") for count in changes["others"][rows]]
            caption = f"Did both, of all pairs: {both}. Below z': other attributes changed."
            picture = pair_grid(run.pairs(0).images[rows], partners[rows], below, caption=caption)
            yield Section(title, why, picture)


def _count_section(table: pd.DataFrame) -> Section:
    return Section(
        "Other attributes changed",
        "Partners should lie on the curve of the exact counterfactuals, far from that of random pairs.",
        truth_plots.changed_counts(table),
    )


def _attribute_section(table: pd.DataFrame, most: int = 15) -> Section:
    by_kind = truth_plots.series_of(table, "pairs", "attribute")
    order = by_kind[PARTNERS]["value"].nlargest(most).index
    series = {kind: by_kind[kind].loc[order] for kind in (PARTNERS, EXACT)}
    return Section(
        "Which attributes change",
        f"The {most} that change most often between z and z', beside exact counterfactuals.",
        dots(series, "% of the pairs in which it changes"),
    )


def _nuisance_section(table: pd.DataFrame) -> Section:
    series = truth_plots.series_of(table[table["metric"] == "correlation"], "pairs", "nuisance")
    return Section(
        "What is no attribute",
        "Position, light, background and skin should stay. 1 is the same in both faces; what keeps exact "
        "counterfactuals from 1 is the reading.",
        dots(series, "correlation between the faces of a pair", scale=1, reference=0),
    )


def _direction_section(table: pd.DataFrame) -> Section:
    named = table.assign(name=table["plane"] + ", " + table["direction"])
    series = truth_plots.series_of(named, "metric", "name")
    return Section(
        "Planes and true directions",
        "Cosines of the planes' normals with directions estimated without them; 1 is the same direction. The "
        "corrected cosine allows for the estimate's noise, which the split-half cosine shows; it is left out "
        "where the estimate is hardly longer than its noise.",
        dots(series, "cosine", scale=1, reference=0),
    )


def _effect_section(table: pd.DataFrame, protected: str) -> Section:
    return Section(
        "Moving along directions",
        "A direction of the protected attribute should change that attribute and leave the others alone.",
        truth_plots.direction_effects(table, protected=protected),
    )


def _linearity_section(table: pd.DataFrame) -> Section:
    rows = table[table["model"].isin(["plane", "network"]) & (table["metric"] == "ROC AUC")]
    series = truth_plots.series_of(rows, "model", "attribute")
    return Section(
        "One plane, or a curved boundary",
        "A network that tells held-out latents apart better than a plane has found a bend. One that does not "
        "may have missed a slight bend in many directions: then see how well the plane does by itself.",
        dots(series, "area under the ROC curve, %", reference=0.5),
    )


def _label_section(table: pd.DataFrame) -> Section:
    rows = table[(table["seed"] == "all") & (table["metric"] == "wrong")]
    series = truth_plots.series_of(rows, "faces", "group")
    return Section(
        "Wrong labels of generated faces",
        "z and z' both get the label that the baseline gave to z. How often is it not what they show?",
        dots(series, "% of the faces with a wrong label"),
    )


def _classifier_section(table: pd.DataFrame, protected: str) -> Section:
    rows = table[(table["metric"] == "flip_rate") & table["model"].isin(MODELS)]
    series = truth_plots.series_of(rows.replace({"model": MODEL_NAMES}), "model", "group")
    return Section(
        f"Predictions that flip with {readable(protected)}",
        "The purpose: a classifier that does not use the protected attribute predicts the same for both "
        "faces of an exact counterfactual.",
        dots(series, "% of the faces whose prediction changes"),
    )


def _facts(run: Run) -> dict[str, str]:
    e = run.experiment
    right = shipped_oracle(run.device).right
    return {
        "Run": run.folder.name,
        "Method": f"{label_of(e.method)}, for {run.pairs(0).method.n_pairs:,} pairs",
        "Training seeds": f"{e.seeds}; directions are those of the first",
        **{
            f"Oracle right about {readable(name)}": str(proportion(*right[name]))
            for name in (e.target, e.protected)
        },
    }
