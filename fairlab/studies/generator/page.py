"""Report of a generator: its sections, in order, with the sentences beside each picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fairlab.core.estimate import PERCENT, PLAIN, Estimate, number
from fairlab.core.files import write_text
from fairlab.figures.faces import face_grid, pair_grid
from fairlab.generators import Generator, generate
from fairlab.generators.measures import nearest_neighbours
from fairlab.generators.sampling import interpolate
from fairlab.reports.page import Page, Section, write_report
from fairlab.studies.generator.figures import frequencies, separability
from fairlab.studies.generator.measure import TOLERANCE, Samples


@dataclass(frozen=True)
class GeneratorReport(Page):
    """What is known of a generator. Its table has the columns of `measure.COLUMNS`."""

    template: ClassVar[str] = "studies/generator/page.html.j2"

    def context(self) -> dict[str, Any]:
        """Return the rows of the table that speak of the whole generator, and those of each attribute."""
        whole = self.table[self.table["attribute"] == ""]
        by_attribute = self.table[self.table["attribute"] != ""]
        cells = by_attribute.assign(text=[measure_text(row) for row in by_attribute.itertuples()])
        wide = cells.pivot_table(index="attribute", columns="measure", values="text", aggfunc="first")
        return {
            "whole": [(row, measure_text(row)) for row in whole.itertuples()],
            "measures": list(dict.fromkeys(cells["measure"])),
            "attributes": wide.fillna("").to_dict("index"),
        }


def measure_text(row: Any) -> str:
    """Return ``"93.1% [92.4, 93.8]"``, or plain numbers where the unit is not a share."""
    if row.unit == "attributes":
        return f"{row.value:.0f}"
    found = Estimate.of(row, PERCENT if row.unit == "share" else PLAIN)
    return str(found) if found.bounded or not found.defined else number(found.value, found.unit)


def write_generator_report(
    folder: Path, generator: Generator, samples: Samples, table: pd.DataFrame, facts: dict[str, str]
) -> None:
    """Write ``measures.csv`` and ``report.html`` into `folder`.

    Parameters
    ----------
    folder : Path
        Made when missing.
    generator : Generator
        Draws the interpolations.
    samples : Samples
        What was measured.
    table : DataFrame
        From `measure_generator`.
    facts : dict of str to str
        What to say about how generator and measures were made.
    """
    page = GeneratorReport(
        title="What the generator draws",
        summary=summarise(table),
        table=table,
        sections=list(_sections(generator, samples, table)),
        facts=facts,
    )
    write_text(folder / "measures.csv", table.to_csv(index=False))
    write_report(folder / "report.html", page)


def summarise(table: pd.DataFrame) -> list[str]:
    """Return sentences that say how well the generator covers its training images, and what it leaves out."""
    whole = {row.measure: measure_text(row) for row in table[table["attribute"] == ""].itertuples()}
    values = table.set_index(["measure", "attribute"])["value"]
    gap = 100 * (values["frequency in generated images"] - values["frequency in training images"])
    worst = gap.abs().sort_values(ascending=False).index[:3]
    gain = (values["held-out accuracy of a hyperplane"] - values["always guessing"]).dropna()
    kept = values["frequency in training images"].between(0.1, 0.9)
    gain = gain[gain.index.intersection(kept.index[kept])]
    return [
        f"{int(values[('attributes drawn as often', '')])} of {len(gap)} attributes are drawn as often as "
        f"the training images show them, to {TOLERANCE:.0f} points; furthest off: "
        + ", ".join(f"{name} ({gap[name]:+.1f})" for name in worst)
        + ".",
        f"{whole['precision']} of its pictures look like training images, and it could have drawn "
        f"{whole['recall']} of those.",
        f"A hyperplane in latent space separates the {len(gain)} attributes that 10 to 90% of the training "
        f"images show {100 * gain.mean():.1f} points better, on average, than guessing the commoner label.",
    ]


def _sections(generator: Generator, samples: Samples, table: pd.DataFrame) -> Iterator[Section]:
    generated, training = samples.generated, samples.training
    yield Section(
        "Generated faces",
        "The first 64 latents, unchosen.",
        face_grid(generated.images[:64], caption=f"64 of {len(generated.images):,} generated faces."),
    )
    rows, distances = nearest_neighbours(generated.features[:16], training.features)
    apart = f"In the reader's features they are {np.median(distances):.1f} apart (median of 16)."
    yield Section(
        "Nearest training images",
        "Does it copy? Each generated face above the training image most like it.",
        pair_grid(generated.images[:16], training.images[rows], caption=apart, row_names=("drawn", "real")),
    )
    steps = interpolate(samples.z[:6], samples.z[6:12], steps=8)  # (6, 8, d)
    between = generate(generator, steps.reshape(48, -1), progress=False, size=generated.images.shape[1])
    yield Section(
        "Between two faces",
        "A latent space without holes has faces all the way from one latent to another.",
        face_grid(between, caption="Six pairs of latents, eight steps each along the sphere."),
    )
    yield Section(
        "How often each attribute is drawn",
        "A generator that leaves a group out cannot help a classifier.",
        frequencies(table),
    )
    yield Section(
        "How straight the latent space is",
        "The method assumes that one hyperplane separates each label.",
        separability(table, n_fit=samples.n_fit, n_held_out=len(samples.z) - samples.n_fit),
    )
