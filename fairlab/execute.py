"""A whole run for the command line: the plan, the six steps, the table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fairlab.artefacts import write_json, write_text
from fairlab.config import Experiment
from fairlab.lab.report import write_report
from fairlab.metrics import format_comparison
from fairlab.oracle import pair_truth
from fairlab.pipeline import Run
from fairlab.planning import measure, plan, plan_text
from fairlab.results import comparison, manifest
from fairlab.story import tell


def execute(experiment: Experiment, home: Path, *, name: str, device: str | None = None) -> None:
    """Print the plan, run or resume all steps, print the table and where the results are.

    Raises
    ------
    UserError
        If the input is wrong, the run folder belongs to another experiment, or another process works in it.
    """
    run = Run(experiment, home, name=name, device=device)
    with run.store.lock():
        sizes = run.source.counts
        print(f"{experiment.target} without {experiment.protected}, {experiment.data}, on {run.device}")
        print(plan_text(plan(run, sizes, measure(run))), flush=True)
        _make_all(run)
        table = write_results(run)
    print(f"\n{format_comparison(table)}\n")
    print("Intervals are 95%, over test images and training seeds; the difference is paired.")
    for file in ("report.html", "metrics.csv", "manifest.json"):
        print(f"  {run.folder / file}")


def write_results(run: Run) -> pd.DataFrame:
    """Write ``metrics.csv``, ``manifest.json`` and ``report.html`` into the run folder; return the table."""
    table, facts = comparison(run), manifest(run)
    truth = pair_truth(run) if run.experiment.data == "synthfaces" else None
    write_text(run.folder / "metrics.csv", table.to_csv(index=False))
    write_json(run.folder / "manifest.json", facts)
    if truth is not None:
        write_json(run.folder / "truth.json", {k: {"count": c, "n": n} for k, (c, n) in truth.items()})
    write_report(run.folder / "report.html", tell(run, table, facts, truth))
    return table


def _make_all(run: Run) -> None:
    """Make every step in the paper's order, so that progress bars follow the plan."""
    seeds = range(run.experiment.seeds)
    run.protected()
    for seed in seeds:
        run.baseline(seed)
    run.latents()
    for seed in seeds:
        run.hyperplanes(seed)
        run.partners(seed)
    for seed in seeds:
        run.debiased(seed)
