"""All cells of a grid, and after that its tables and figures."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from fairlab.core.errors import UserError
from fairlab.core.estimate import CORRECTED
from fairlab.core.files import write_json, write_text
from fairlab.core.parallel import default_jobs, run_all
from fairlab.evaluation.results import environment
from fairlab.experiments.presets import as_folder
from fairlab.figures.effects import effect_table, effects, effects_by_target
from fairlab.figures.method_table import (
    METHOD_NOTE,
    PUBLISHED_SOURCE,
    Facts,
    as_markdown,
    difference_table,
    method_table,
    readable_method,
)
from fairlab.figures.paper_table import write_paper_table
from fairlab.figures.tables import WHOLE
from fairlab.figures.trade_off import trade_off
from fairlab.metrics.two_groups.compare_attributes import MEAN
from fairlab.studies.table.grid import Grid
from fairlab.studies.table.make import label_notes, make_baselines, make_cell, make_common
from fairlab.studies.table.measure import facts, measure, pair_table


def make_all(grid: Grid, jobs: int | None = None) -> Grid:
    """Make every step that is missing, in several processes where that is faster.

    Returns
    -------
    Grid
        Without the targets of which a cell cannot be made; it is printed why.

    Raises
    ------
    UserError
        If no target is left.
    """
    make_common(grid)
    bare = replace(grid)  # other processes open the images themselves, instead of being sent them
    targets = [(bare, target) for target in grid.targets]
    cells = [(bare, *cell) for cell in grid.cells()]
    at_once = jobs if jobs is not None else default_jobs(grid.first.device, len(cells))
    run_all(make_baselines, targets, jobs=at_once, label="Baselines", unit="target")
    reasons = run_all(make_cell, cells, jobs=at_once, label="Methods", unit="cell")
    failed = {cell[1]: reason for cell, reason in zip(cells, reasons, strict=True) if reason}
    for target, reason in failed.items():
        print(f"{target} is left out: {reason}")
    if len(failed) == len(grid.targets):
        raise UserError("No target could be de-biased; choose others, or a larger --preset.")
    return replace(grid, targets=tuple(target for target in grid.targets if target not in failed))


def write_results(grid: Grid, folder: Path) -> str:
    """Write tables and figure of a finished grid into a folder; return the text to print."""
    measured = measure(grid)
    write_text(folder / "table.csv", measured.to_csv(index=False))
    write_text(folder / "pairs.csv", pair_table(grid).to_csv(index=False))
    write_json(folder / "manifest.json", _manifest(grid))
    for method in grid.methods:
        published = grid.experiment.protected == "Male"
        write_paper_table(folder / as_folder(method), of_method(measured, method), published=published)
    effect = effect_table(measured, grid.methods)
    write_text(folder / "effects.md", f"{effect}\n")
    effects(measured, grid.methods).save(folder / "effects.png")
    if len(grid.targets) > 1:
        effects_by_target(measured, grid.methods).save(folder / "effects_by_target.png")
    write_method_tables(folder, measured, facts(grid), grid)
    experiment = grid.experiment
    trained = f"{experiment.seeds} trainings" if experiment.seeds > 1 else "one training"
    notes = "".join(f"{note}\n" for note in label_notes(grid))
    return (
        f"\n{effect}\n\n{notes}Differences from the baseline in points (KL: nats), with 95% intervals over "
        f"{measured['n'].iloc[0]:,} test images and {trained} of each classifier.\n{CORRECTED}\n"
        f"{folder / as_folder(grid.methods[0]) / 'table.md'} is the paper's table; "
        f"{folder / 'table.csv'} every number."
    )


def write_method_tables(
    folder: Path, measured: pd.DataFrame, of_models: Mapping[str, Facts], grid: Grid
) -> None:
    """Write ``methods.md``, ``methods.tex``, ``methods.csv``, and AP against DEO as ``trade_off.png``.

    They tell of the mean over all targets; of a single target, of that.
    """
    subject = ("all targets", MEAN) if len(grid.targets) > 1 else (grid.targets[0], WHOLE)
    figures = method_table(measured, of_models, subject, grid.groups)
    tables = {f"{subject[0]}: each method": figures}
    for reference in dict.fromkeys(("baseline", grid.reference) if len(grid.methods) > 1 else ("baseline",)):
        title = f"Paired differences from {readable_method(reference)}"
        tables[title] = difference_table(measured, list(of_models), subject, grid.groups, reference)
    parts = [f"## {title}\n\n{as_markdown(frame)}\n" for title, frame in tables.items()]
    write_text(folder / "methods.md", "\n".join([*parts, METHOD_NOTE, PUBLISHED_SOURCE]) + "\n")
    write_text(folder / "methods.tex", "\n".join(frame.to_latex(escape=True) for frame in tables.values()))
    write_text(folder / "methods.csv", figures.to_csv())
    names = {"attribute": subject[0], "group": subject[1], "y": "AP_balanced"}
    trade_off(measured, **names).save(folder / "trade_off.png")


def of_method(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """Return the rows of the baseline, of one method and of their difference, with the usual names."""
    names = {"baseline": "baseline", method: "debiased", f"{method} - baseline": "debiased - baseline"}
    kept = table[table["model"].isin(names)]
    return kept.assign(model=kept["model"].map(names))


def _manifest(grid: Grid) -> dict[str, Any]:
    return environment(grid.first) | {
        "targets": grid.targets,
        "methods": grid.methods,
        "runs": [str(grid.run(*cell).folder.name) for cell in grid.cells()],
    }
