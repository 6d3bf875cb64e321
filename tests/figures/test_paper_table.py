import numpy as np
import pandas as pd
import pytest

from fairlab.data.attributes import REPORTING_GROUPS
from fairlab.figures.paper_table import paper_table, write_paper_table
from fairlab.metrics import compare_attributes


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = ["Big_Lips", "Young", "Bangs", "Smiling", "Bald"]
    labels = pd.DataFrame({name: rng.integers(0, 2, 300) for name in names})
    scores = {
        model: {name: np.clip(0.4 * labels[name] + 0.6 * rng.random(300), 0, 1) for name in names}
        for model in ("baseline", "debiased")
    }
    return compare_attributes(labels, scores, rng.integers(0, 2, 300), means=REPORTING_GROUPS, n_resamples=40)


def test_groups_begin_with_their_mean_and_the_published_one(table: pd.DataFrame):
    laid_out = paper_table(table)
    assert laid_out.index.tolist() == [
        ("inconsistently labelled", "mean of 1"),
        ("inconsistently labelled", "published mean, CelebA"),
        ("inconsistently labelled", "Big Lips"),
        ("gender-dependent", "mean of 1"),
        ("gender-dependent", "published mean, CelebA"),
        ("gender-dependent", "Young"),
        ("gender-independent", "mean of 2"),
        ("gender-independent", "published mean, CelebA"),
        ("gender-independent", "Bangs"),
        ("gender-independent", "Smiling"),
        ("other", "Bald"),
    ]
    assert laid_out.loc[("gender-independent", "published mean, CelebA"), ("DEO", "baseline")] == "16.7 ± 5.0"


def test_cells_are_the_measured_numbers_with_intervals(table: pd.DataFrame):
    rows = table.set_index(["attribute", "model", "metric"])
    row = rows.loc[("Bangs", "baseline", "AP")]
    expected = f"{100 * row['value']:.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]"
    assert paper_table(table).loc[("gender-independent", "Bangs"), ("AP", "baseline")] == expected


def test_four_files_are_written_and_name_the_source(table: pd.DataFrame, tmp_path):
    files = write_paper_table(tmp_path, table)
    assert [file.name for file in files] == ["table.md", "table.tex", "table.html", "table.csv"]
    for file in files[:3]:
        text = file.read_text(encoding="utf-8")
        assert "Ramaswamy" in text
        assert "16.7 ± 5.0" in text
    assert r"\toprule" in files[1].read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(pd.read_csv(files[3]).fillna({"note": ""}), table, check_dtype=False)
