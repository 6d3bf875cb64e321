import math
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from fairlab.core.estimate import PERCENT, Estimate
from fairlab.figures import plots
from fairlab.figures.captioned import Captioned
from fairlab.figures.summary import LIMITS, summarise
from fairlab.reports.page import Section, to_html, write_report
from fairlab.studies.run.page import RunReport

from ...lab.examples import CLEAR, faces, tidy

NAN = (math.nan, math.nan, math.nan)
CLEAR_UP = (0.05, 0.02, 0.08)
UNCLEAR = (-0.02, -0.05, 0.01)


class Page(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def report() -> RunReport:
    return RunReport(
        title="Smiling and Male",
        summary=summarise(tidy(), "Smiling", "Male"),
        table=tidy(),
        sections=[
            Section("Faces", "Why faces.", plots.face_grid(faces(3), caption="3 faces.")),
            Section("Metrics", "Why metrics.", plots.metric_bars(tidy())),
        ],
        facts={"Preset": "smoke", "Device": "cpu"},
        truth={"target label kept": Estimate(0.9, 0.826, 0.945, 1200, PERCENT)},
        groups={"not Male": (1170, 640), "Male": (830, 328)},
    )


def test_the_page_needs_nothing_else(report: RunReport):
    page = Page(to_html(report))
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", to_html(report))
    assert "url(" not in to_html(report)
    assert not page.all("script")
    assert all(image["src"].startswith("data:image/") for image in page.all("img"))
    assert all(link["href"].startswith("#") for link in page.all("a"))


def test_every_part_is_there_and_can_be_jumped_to(report: RunReport):
    page = Page(to_html(report))
    ids = {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= ids
    said = [report.title, *report.summary, *LIMITS, "Preset", "smoke", "target label kept", "CVPR 2021"]
    said += ["90.0% [82.6, 94.5] (n = 1,200)"]
    said += [part for s in report.sections for part in (s.title, s.why, s.picture.text)]
    said += ["1,170", "640", "328"]
    assert [part for part in said if part not in page.text] == []


def test_every_picture_has_an_alternative_text(report: RunReport):
    found = [image["alt"] for image in Page(to_html(report)).all("img")]
    assert found == [section.picture.alt for section in report.sections]
    assert all(found)


def test_names_are_escaped():
    name = "<script>alert(1)</script>"
    evil = RunReport(
        title=name,
        summary=summarise(tidy(attribute=name), name, "<b>Male</b>"),
        table=tidy(attribute=name),
        sections=[Section(name, name, Captioned(Figure(), name, f'"{name}'))],
        facts={name: name},
        truth={name: Estimate(0.5, 0.1, 0.9, 2, PERCENT)},
        groups={name: (2, 1)},
        limits=[name],
    )
    page = Page(to_html(evil))
    assert not page.all("script")
    assert not page.all("b")
    assert name in page.text


def test_undefined_metrics_say_why():
    table = tidy({**CLEAR, "DEO": (NAN, NAN, NAN)}, note="0 positives in Male")
    html = to_html(RunReport(title="x", summary=summarise(table, "Smiling", "Male"), table=table))
    assert html.count("n/a (0 positives in Male)") >= 4
    assert ">nan" not in html.lower()


def test_photographs_stay_small_and_the_file_is_written_whole(tmp_path: Path, report: RunReport):
    noise = np.random.default_rng(0).integers(0, 256, (24, 200, 200, 3), dtype=np.uint8)
    many = RunReport(
        "x", [], tidy(), [Section(str(i), "", plots.face_grid(noise, caption="")) for i in range(3)]
    )
    write_report(tmp_path / "report.html", many)
    assert (tmp_path / "report.html").stat().st_size < 5e6
    assert "data:image/jpeg" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_summary_names_gain_and_cost():
    problem, balance, *sentences = summarise(tidy(), "Smiling", "Male")
    assert "21.3 points apart (95% interval 17.1 to 25.5; 2,000 pictures, 968 of them Smiling)" in problem
    assert balance == (
        "De-biasing, on fairness: better in DEO, BA and KL. On accuracy: worse in AP; "
        "no clear change in AP balanced."
    )
    assert any("DEO" in s and "better, it fell from 21.3 to 11.2" in s for s in sentences)
    assert any("(AP)" in s and "worse, it fell from 91.2 to 90.5" in s for s in sentences)


def test_the_summary_claims_nothing_that_the_interval_does_not():
    unclear = {metric: (before, after, UNCLEAR) for metric, (before, after, _) in CLEAR.items()}
    _, balance, *sentences = summarise(tidy(unclear), "Smiling", "Male")
    assert all("no clear change" in sentence for sentence in [balance, *sentences])
    assert not re.search("better|worse", " ".join([balance, *sentences]))


def test_the_summary_admits_that_things_got_worse():
    worse = {**CLEAR, "DEO": ((0.10, 0.08, 0.12), (0.15, 0.13, 0.17), CLEAR_UP)}
    said = summarise(tidy(worse), "Smiling", "Male")
    assert "worse in DEO" in said[1]
    assert any("worse, it rose from 10.0 to 15.0" in sentence for sentence in said)


def test_the_summary_of_undefined_metrics_says_that_they_are_unknown():
    table = tidy({"DEO": (NAN, NAN, NAN)}, note="0 positives in Male")
    said = summarise(table, "Smiling", "Male")
    assert said[0].endswith("is unknown, n/a (0 positives in Male).")
    assert "accuracy: not measured" in said[1]
    assert "nan" not in " ".join(said)


def test_only_rows_of_the_target_are_summarised():
    both = pd.concat([tidy({**CLEAR, "DEO": (NAN, NAN, NAN)}, attribute="Bangs"), tidy()])
    assert summarise(both, "Smiling", "Male") == summarise(tidy(), "Smiling", "Male")
