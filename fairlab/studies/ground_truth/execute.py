"""Measurement of a run against drawn faces: tables, figures and a page."""

import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.files import write_text
from fairlab.experiments.run import Run
from fairlab.figures import plots
from fairlab.reports.page import write_report
from fairlab.studies.ground_truth.counterfactuals import N_FACES, counterfactual_flips, drawn_source
from fairlab.studies.ground_truth.directions import N_INVERTED, direction_cosines
from fairlab.studies.ground_truth.effects import N_MOVED, direction_effects
from fairlab.studies.ground_truth.fidelity import (
    attribute_fidelity,
    changed_counts,
    nuisance_fidelity,
    partner_fidelity,
    run_nuisance_reader,
)
from fairlab.studies.ground_truth.findings import findings, findings_text
from fairlab.studies.ground_truth.label_noise import label_noise
from fairlab.studies.ground_truth.linearity import plane_against_nonlinear
from fairlab.studies.ground_truth.page import report


def truth(run: Run, *, n: int = N_FACES, n_inverted: int = N_INVERTED, n_moved: int = N_MOVED) -> str:
    """Measure a run against the truth, making what is missing; write the results, return the text to print.

    Parameters
    ----------
    run : Run
        Of SynthFaces, with partners among the images it adds.
    n : int
        Test faces that are drawn with and without the protected attribute; all if there are fewer.
    n_inverted : int
        Of these, how many are brought into the latent space, which takes about a second each on one core.
    n_moved : int
        Latents that are moved along directions, at most the number of pairs.

    Returns
    -------
    str
        A table of what the method assumes and what is measured, and where the files are:
        ``ground_truth.html``, and tables and figures in ``ground_truth``, in the run folder.

    Raises
    ------
    UserError
        If the run's images are not drawn, it adds no partners, a number is too small, or another process
        works in the run folder.
    """
    drawn_source(run)
    experiment, folder, page = run.experiment, run.folder / "ground_truth", run.folder / "ground_truth.html"
    if not experiment.makes_pairs:
        raise UserError(
            f"The method '{experiment.method.name}' adds no partners, whose truth is measured here; "
            "choose a run with --method latent_pairs."
        )
    counts = {"--faces": (n, 24), "--inverted-faces": (n_inverted, 2), "--moved": (n_moved, 1)}
    for flag, (number, least) in counts.items():
        if number < least:
            raise UserError(f"{flag} is {number}; at least {least} are needed.")
    with run.store.lock():
        tables = measure(run, n=n, n_inverted=n_inverted, n_moved=n_moved)
        tables["summary"] = findings(tables, experiment.target, experiment.protected)
        for name, table in tables.items():
            write_text(folder / f"{name}.csv", table.to_csv(index=False))
        plots.changed_counts(tables["changed_counts"]).save(folder / "changed_counts.png")
        effects = plots.direction_effects(tables["direction_effects"], protected=experiment.protected)
        effects.save(folder / "direction_effects.png")
        write_report(page, report(run, tables, n))
    seeds = experiment.seeds
    trained = "one training" if seeds == 1 else f"{seeds} trainings (directions: the first)"
    return (
        f"\n{findings_text(tables['summary'])}\n\nSeen by the oracle, which learned on faces without any "
        f"association; {trained}. Exact counterfactuals are what a perfect partner would show, the oracle's "
        f"errors included.\n  {page}\n  {folder / 'summary.csv'}"
    )


def measure(run: Run, *, n: int, n_inverted: int, n_moved: int) -> dict[str, pd.DataFrame]:
    """Return all tables of `fairlab.studies.ground_truth` of a run, by the names of their files.

    Directions are those of the first training seed, everything else is over all seeds. Parameters as `truth`.
    """
    return {
        "classifiers": counterfactual_flips(run, n),
        "pairs": partner_fidelity(run, n),
        "changed_counts": changed_counts(run, n),
        "attributes": attribute_fidelity(run, n),
        "nuisance": nuisance_fidelity(run, n),
        "nuisance_reader": run_nuisance_reader(run).accuracy.reset_index(),
        "linearity": plane_against_nonlinear(run),
        "label_noise": label_noise(run),
        "directions": direction_cosines(run, n=n_inverted),
        "direction_effects": direction_effects(run, n=n_moved, n_inverted=n_inverted),
    }
