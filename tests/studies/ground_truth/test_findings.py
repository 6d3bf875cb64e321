"""The table of what the method assumes and what is measured: how its numbers are written."""

import pandas as pd

from fairlab.studies.ground_truth.findings import Finding, findings_rows, findings_text


def test_findings_say_units_signs_and_why_a_number_is_missing():
    nan = float("nan")
    table = pd.DataFrame(
        [
            Finding("first", "a", 0.123, 0.1, 0.2, 1200, "share", ""),
            Finding("first", "b", -0.02, -0.05, 0.02, 9, "points", ""),
            Finding("second", "c", nan, nan, nan, 9, "cosine", "it is noise"),
        ]
    )
    assert findings_rows(table) == [
        ["first", "a", "12.3% [10.0, 20.0]", "1,200"],
        ["", "b", "−2.0 points [−5.0, +2.0]", "9"],
        ["second", "c", "n/a (it is noise)", "9"],
    ]
    assert len(findings_text(table).splitlines()) == 2 + 3  # heading, rule, rows
