"""The comparison table as people read it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairlab.metrics import UndefinedMetricWarning, compare, format_comparison
from fairlab.metrics.tidy import COLUMNS

from .examples import simulate


def line(model, metric, value, low, high, corrected=np.nan, attribute="Smiling"):
    row = (model, attribute, "all", metric, value, low, high, np.nan, corrected, 1800, 600, 3, "")
    return dict(zip(COLUMNS, row, strict=True))


def test_units_signs_and_counts():
    table = pd.DataFrame(
        [
            line("baseline", "DEO", 0.2149, 0.1, 0.3),
            line("baseline", "KL", 1.734, 1.2, 2.2, corrected=1.5),
            line("debiased - baseline", "DEO", -0.05, -0.08, 0.012),
            line("debiased - baseline", "KL", 0.5, 0.25, 0.75),
        ]
    )
    assert format_comparison(table).splitlines() == [
        "| metric    | baseline                 | debiased - baseline  | images (positive) | seeds |",
        "| --------- | ------------------------ | -------------------- | ----------------- | ----- |",
        "| DEO (%)   | 21.5 [10.0, 30.0]        | −5.0 [−8.0, +1.2]    | 1,800 (600)       | 3     |",
        "| KL (nats) | 1.73 (1.50) [1.20, 2.20] | +0.50 [+0.25, +0.75] | 1,800 (600)       | 3     |",
    ]


def test_undefined_values_name_the_group():
    y, s, a = simulate(500, np.random.default_rng(0))
    kept = (y == 0) | (a == 0)
    with pytest.warns(UndefinedMetricWarning):
        table = compare(y[kept], {"baseline": s[kept]}, a[kept], n_resamples=10, groups=("not Male", "Male"))
    lines = {line.split()[1]: line for line in format_comparison(table).splitlines()[2:]}
    assert "n/a (0 positives in Male)" in lines["DEO"]
    assert "n/a" not in lines["AP"]
    assert "nan" not in "".join(lines.values())


def test_several_attributes_have_a_column():
    rows = [line("baseline", "AP", 0.5, 0.4, 0.6, attribute=name) for name in ("Smiling", "Young")]
    lines = format_comparison(pd.DataFrame(rows)).splitlines()
    assert lines[0].startswith("| attribute | metric ")
    assert lines[2].startswith("| Smiling   | AP (%) | 50.0 [40.0, 60.0]")
    assert lines[3].startswith("| Young     | AP (%) |")


def test_whole_comparison_has_a_line_for_each_metric_and_a_column_for_each_model():
    y, s, a = simulate(300, np.random.default_rng(1))
    table = compare(y, {"baseline": s, "debiased": s**2}, a, n_resamples=10)
    lines = format_comparison(table).splitlines()
    assert len(lines) == 2 + 5
    assert [cell.strip() for cell in lines[0].split("|")[2:5]] == [
        "baseline",
        "debiased",
        "debiased - baseline",
    ]
