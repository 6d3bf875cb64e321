"""A run for the command line: plan, steps, table, report."""

import pandas as pd

from fairlab.classifiers.networks import build_network
from fairlab.core.errors import DamagedError
from fairlab.core.estimate import CORRECTED
from fairlab.core.files import read_record, write_json, write_record, write_text
from fairlab.evaluation.pair_truth import pair_truth
from fairlab.evaluation.results import comparison, manifest
from fairlab.experiments.run import Run
from fairlab.metrics import format_comparison
from fairlab.reports.page import write_report
from fairlab.studies.run.page import report
from fairlab.studies.run.plan import check_disk, measure, plan, plan_text
from fairlab.workspace.source import preparation_summary, prepared_folder


def execute(run: Run) -> None:
    """Print the plan, run or resume all steps, print the table and where the results are.

    Raises
    ------
    UserError
        If the input is wrong, or another process works in the run folder.
    """
    experiment = run.experiment
    with run.store.lock():
        without = f"{experiment.target} without {', '.join(experiment.attributes[1:])}"
        print(f"{without}, {experiment.source.name}, on {run.device}, in {run.folder}")
        run.work.require_groups()
        for note in run.work.small_groups:
            print(note)
        if not has_trained(run):
            _check_weights(run)
            print(check_disk(run, run.work.source.counts))
            print(plan_text(plan(run, run.work.source.counts, measure(run))), flush=True)
        _ = run.data
        source = run.work.source
        folder = prepared_folder(source, run.home, run.work.image_size)
        print(preparation_summary(source, folder), flush=True)
        for seed in range(experiment.seeds):
            run.baseline(seed)
        for note in run.annotator_notes():  # before the generator, which takes longest
            print(note, flush=True)
        for seed in range(experiment.seeds):
            run.debiased(seed)
        table = write_results(run)
    for protected, rows in table.groupby("protected", sort=False):
        title = f"{protected}:\n" if experiment.also_protected else ""
        print(f"\n{title}{format_comparison(rows)}")
    trainings = f" and {experiment.seeds} trainings of both classifiers" if experiment.seeds > 1 else ""
    print(f"\nIntervals are 95%, over test images{trainings}; the difference is paired.\n{CORRECTED}")
    for metric, notes in table[table["note"] != ""].groupby("metric", sort=False)["note"]:
        print(f"  {metric}: {'; '.join(notes.unique())}")
    for note in run.label_notes():
        print(note)
    for file in ("report.html", "metrics.csv", "manifest.json"):
        print(f"  {run.folder / file}")


def has_trained(run: Run) -> bool:
    """Whether results of as many training seeds are there: then nothing that takes long is left to do."""
    try:
        manifest = read_record(run.folder / "manifest.json")
    except DamagedError:  # or missing: it is written at the end
        return False
    return len(manifest.get("training_seeds", ())) >= run.experiment.seeds


def _check_weights(run: Run) -> None:
    """Load what comes from elsewhere, so that its absence is found before hours of work."""
    if not run.work.trains_generator:
        _ = run.generator
    build_network(run.experiment.recipe, 1, seed=0, imagenet=True)


def write_results(run: Run) -> pd.DataFrame:
    """Write ``metrics.csv``, ``manifest.json`` and ``report.html`` into the run folder; return the table.

    The table is that of `comparison` for every protected attribute, named in the column "protected". The
    report tells of the first one.
    """
    tables = {name: comparison(run, name) for name in run.experiment.attributes[1:]}
    table = pd.concat([rows.assign(protected=name) for name, rows in tables.items()], ignore_index=True)
    write_text(run.folder / "metrics.csv", table.to_csv(index=False))
    experiment = run.experiment
    truth = pair_truth(run) if experiment.source.is_drawn and experiment.makes_pairs else None
    facts = manifest(run)
    write_record(run.folder / "manifest.json", facts)
    if truth is not None:
        write_json(run.folder / "truth.json", {name: share._asdict() for name, share in truth.items()})
    write_report(run.folder / "report.html", report(run, tables[experiment.protected], facts, truth))
    return table
