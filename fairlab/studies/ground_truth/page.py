"""Page of a run's ground truth: its sections, in order, with the sentences beside each picture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from fairlab.core.files import load_array
from fairlab.evaluation.results import MODELS
from fairlab.experiments.run import Run
from fairlab.figures import plots
from fairlab.figures.faces import pair_grid
from fairlab.figures.intervals import dots, series_of
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
    experiment, right = run.experiment, shipped_oracle(run.device).right
    target, protected = experiment.target, experiment.protected
    facts = {
        "Run": run.folder.name,
        "Method": f"{label_of(experiment.method)}, for {run.pairs(0).method.n_pairs:,} pairs",
        "Training seeds": f"{experiment.seeds}; directions are those of the first",
    }
    for name in (target, protected):
        facts[f"Oracle right about {readable(name)}"] = str(proportion(*right[name]))
    return TruthReport(
        title=f"{target} without {protected}: where the method's assumptions hold",
        summary=sentences(tables["summary"], target, protected),
        table=tables["summary"],
        sections=[*_face_sections(run, n), *_table_sections(tables, protected)],
        facts=facts,
    )


def _face_sections(run: Run, n: int) -> Iterator[Section]:
    """Yield pictures of faces: exact counterfactuals, the best pairs and the worst."""
    faces = counterfactual_faces(run, n)
    yield Section(
        "Exact counterfactuals",
        "What a perfect partner looks like: the same drawing with only the protected attribute changed.",
        pair_grid(
            faces.absent[:8],
            faces.present[:8],
            caption=f"8 of {len(faces.factors):,} test faces, drawn twice.",
            row_names=with_or_without(readable(run.experiment.protected)),
        ),
    )
    changes = pair_changes(run)
    partners = load_array(run.pairs(0).partners.folder / "images.npy", mapped=True)
    both = proportion(int((changes["kept"] & changes["flipped"]).sum()), len(changes))
    best, worst = best_and_worst(changes)
    for rows, title, why in (
        (best, "Pairs that did both and changed least", "The best eight: is it the same face?"),
        (worst, "Pairs that changed most", "The worst eight: hardly anything is left of the face."),
    ):
        if len(rows):
            below = [("", f"{count} others") for count in changes["others"][rows]]
            caption = f"Did both, of all pairs: {both}. Below z': other attributes changed."
            yield Section(
                title, why, pair_grid(run.pairs(0).images[rows], partners[rows], below, caption=caption)
            )


def _table_sections(tables: Tables, protected: str, most: int = 15) -> Iterator[Section]:
    """Yield plots of the tables; of the attributes, those `most` that change most often."""
    yield Section(
        "Other attributes changed",
        "Partners should lie on the curve of the exact counterfactuals, far from that of random pairs.",
        plots.changed_counts(tables["changed_counts"]),
    )
    attributes = series_of(tables["attributes"], "pairs", "attribute")
    changed_most = attributes[PARTNERS]["value"].nlargest(most).index
    yield Section(
        "Which attributes change",
        f"The {most} that change most often between z and z', beside exact counterfactuals.",
        dots(
            {kind: attributes[kind].loc[changed_most] for kind in (PARTNERS, EXACT)},
            "% of the pairs in which it changes",
        ),
    )
    nuisance = tables["nuisance"]
    correlations = series_of(nuisance[nuisance["metric"] == "correlation"], "pairs", "nuisance")
    yield Section(
        "What is no attribute",
        "Position, light, background and skin should stay. 1 is the same in both faces; what keeps exact "
        "counterfactuals from 1 is the reading.",
        dots(correlations, "correlation between the faces of a pair", scale=1, reference=0),
    )
    directions = tables["directions"]
    named = directions.assign(name=directions["plane"] + ", " + directions["direction"])
    yield Section(
        "Planes and true directions",
        "Cosines of the planes' normals with directions estimated without them; 1 is the same direction. The "
        "corrected cosine allows for the estimate's noise, which the split-half cosine shows; it is left out "
        "where the estimate is hardly longer than its noise.",
        dots(series_of(named, "metric", "name"), "cosine", scale=1, reference=0),
    )
    yield Section(
        "Moving along directions",
        "A direction of the protected attribute should change that attribute and leave the others alone.",
        plots.direction_effects(tables["direction_effects"], protected=protected),
    )
    table = tables["linearity"]
    areas = table[table["model"].isin(["plane", "network"]) & (table["metric"] == "ROC AUC")]
    yield Section(
        "One plane, or a curved boundary",
        "A network that tells held-out latents apart better than a plane has found a bend. One that does not "
        "may have missed a slight bend in many directions: then see how well the plane does by itself.",
        dots(series_of(areas, "model", "attribute"), "area under the ROC curve, %", reference=0.5),
    )
    table = tables["label_noise"]
    wrong = table[(table["seed"] == "all") & (table["metric"] == "wrong")]
    yield Section(
        "Wrong labels of generated faces",
        "z and z' both get the label that the baseline gave to z. How often is it not what they show?",
        dots(series_of(wrong, "faces", "group"), "% of the faces with a wrong label"),
    )
    table = tables["classifiers"].replace({"model": MODEL_NAMES})
    names = [MODEL_NAMES[model] for model in MODELS]
    flips = table[(table["metric"] == "flip_rate") & table["model"].isin(names)]
    yield Section(
        f"Predictions that flip with {readable(protected)}",
        "The purpose: a classifier that does not use the protected attribute predicts the same for both "
        "faces of an exact counterfactual.",
        dots(series_of(flips, "model", "group"), "% of the faces whose prediction changes"),
    )
