"""Numbers with their intervals: as dots, as shares, as tables, and in words."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from fairlab.core.errors import UserError
from fairlab.figures.intervals import dots, series_of
from fairlab.figures.style import MODEL_LOOKS
from fairlab.figures.tables import readable_table
from fairlab.metrics.intervals.proportion import proportion, shares

from ..lab.examples import tidy

NAMES = ["Smiling", "Wearing_Hat", "Male"]


def numbers(*values, names=NAMES):
    return pd.DataFrame(values, columns=["value", "low", "high"], index=names)


BEFORE = numbers((0.2, 0.1, 0.35), (-0.6, -0.7, -0.4), (0.05, -0.1, 0.2))
AFTER = numbers((0.1, 0.0, 0.2), (-0.1, -0.3, 0.1), (0.3, 0.25, 0.31))


def drawn(figure):
    """Return, for each series, the dots (n, 2) and the ends of the whiskers (n, 2)."""
    series = []
    for container in figure.axes[0].containers:
        points, _, (whiskers,) = container
        ends = np.array([path.vertices[:, 0] for path in whiskers.get_paths() if len(path)])
        series.append((points.get_xydata(), ends))
    return series


def test_dots_and_whiskers_stand_at_the_numbers():
    figure = dots({"before": BEFORE, "after": AFTER}, "share, %").figure

    for (points, ends), table in zip(drawn(figure), (BEFORE, AFTER), strict=True):
        assert points[:, 0] == pytest.approx(100 * table["value"].to_numpy())
        assert ends == pytest.approx(100 * table[["low", "high"]].to_numpy())
    assert figure.axes[0].get_xlabel() == "share, %"


def test_every_name_has_its_row_from_top_to_bottom_and_series_lie_within_it():
    figure = dots({"before": BEFORE, "after": AFTER}, "share, %", marked="Wearing_Hat").figure

    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["Smiling", "Wearing Hat", "Male"]
    assert [label.get_fontweight() for label in axis.get_yticklabels()] == ["normal", "bold", "normal"]
    low, high = axis.get_ylim()
    assert low > high  # row 0 is at the top
    for points, _ in drawn(figure):
        assert np.round(points[:, 1]).tolist() == [0, 1, 2]
    first, second = (points[:, 1] for points, _ in drawn(figure))
    assert (first < second).all()


def test_series_differ_in_more_than_colour_and_are_named():
    figure = dots({"before": BEFORE, "after": AFTER}, "share, %").figure

    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["before", "after"]
    lines = [container[0] for container in figure.axes[0].containers]
    assert len({line.get_marker() for line in lines}) == 2
    assert [to_hex(line.get_color()).upper() for line in lines] == [look.colour for look in MODEL_LOOKS[:2]]
    assert dots({"before": BEFORE}, "share, %").figure.legends == []


def test_the_scale_and_the_reference_are_in_the_same_unit():
    plain = dots({"before": BEFORE}, "phi", scale=1.0, reference=0.25).figure
    percent = dots({"before": BEFORE}, "%", reference=0.25).figure

    for figure, scale in ((plain, 1), (percent, 100)):
        upright = [line for line in figure.axes[0].lines if len(set(line.get_xdata())) == 1]
        assert [line.get_xdata()[0] for line in upright] == [0.25 * scale]
        assert drawn(figure)[0][0][:, 0] == pytest.approx(scale * BEFORE["value"].to_numpy())


def test_what_is_undefined_leaves_its_row_empty():
    missing = numbers((0.2, 0.1, 0.35), (math.nan, math.nan, math.nan), (0.05, -0.1, 0.2))
    figure = dots({"before": missing}, "share, %").figure

    assert np.isfinite(drawn(figure)[0][0][:, 0]).tolist() == [True, False, True]
    assert len(figure.axes[0].get_yticklabels()) == 3
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({}, "at least one series"),
        ({"a": BEFORE.iloc[:0]}, "at least one series"),
        ({"a": BEFORE, "b": AFTER.iloc[:2]}, "the same names in every series"),
        ({"a": BEFORE, "b": AFTER.iloc[::-1]}, "the same names in every series"),
        ({str(i): BEFORE for i in range(6)}, "At most 5 series"),
    ],
)
def test_series_that_cannot_be_compared_are_refused(series, message):
    with pytest.raises(UserError, match=message):
        dots(series, "share, %")


def test_words_name_the_largest_by_size_with_their_intervals():
    four = {
        name: pd.concat([table, numbers((0.01, 0, 0.02), names=["Bald"])])
        for name, table in {"before": BEFORE, "after": AFTER}.items()
    }
    assert dots(four, "share, %").text == (
        "before: Wearing Hat −60.0 [−70.0, −40.0], Smiling 20.0 [10.0, 35.0], Male 5.0 [−10.0, 20.0]. "
        "after: Male 30.0 [25.0, 31.0], Smiling 10.0 [0.0, 20.0], Wearing Hat −10.0 [−30.0, 10.0]."
    )
    assert dots({"phi": BEFORE}, "phi", scale=1.0).text.startswith("phi: Wearing Hat −0.60 [−0.70, −0.40],")


def test_words_leave_out_what_is_undefined():
    missing = numbers((0.2, 0.1, 0.35), (math.nan, math.nan, math.nan), (0.05, -0.1, 0.2))
    assert dots({"before": missing}, "%").text == "before: Smiling 20.0 [10.0, 35.0], Male 5.0 [−10.0, 20.0]."
    assert dots({"before": missing.iloc[1:2]}, "%").text == "before: n/a."


def wilson(count, n):
    z = 1.959963984540054  # the normal distribution's 97.5% quantile
    centre = (count + z**2 / 2) / (n + z**2)
    reach = z / (n + z**2) * math.sqrt(count * (n - count) / n + z**2 / 4)
    return centre - reach, centre + reach


@given(st.integers(1, 10_000), st.data())
def test_the_interval_of_a_share_is_wilsons(n, data):
    count = data.draw(st.integers(0, n))
    low, high = proportion(count, n)[1:3]
    assert (low, high) == pytest.approx(wilson(count, n), abs=1e-9)
    assert -1e-12 <= low <= count / n + 1e-12
    assert count / n - 1e-12 <= high <= 1 + 1e-12


def test_a_share_reads_with_interval_and_counts():
    assert str(proportion(1, 4)) == "25.0% [4.6, 69.9] (n = 4)"
    assert str(proportion(1234, 4936)) == "25.0% [23.8, 26.2] (n = 4,936)"
    assert str(proportion(0, 0)) == "n/a (nothing to count)"
    assert proportion(0, 0)[1:3] == (0.0, 1.0)


def test_shares_of_columns():
    flags = pd.DataFrame({"Smiling": [1, 0, 0, 0], "Male": [True, True, False, True], "Bald": [0.0] * 4})
    table = shares(flags)

    assert list(table.index) == ["Smiling", "Male", "Bald"]
    assert table["value"].tolist() == [0.25, 0.75, 0.0]
    assert table["n"].tolist() == [4, 4, 4]
    for name, count in (("Smiling", 1), ("Male", 3), ("Bald", 0)):
        assert table.loc[name, ["low", "high"]].tolist() == pytest.approx(wilson(count, 4), abs=1e-9)


def test_the_share_of_nothing_is_undefined():
    table = shares(pd.DataFrame({"Smiling": []}))

    assert math.isnan(table.loc["Smiling", "value"])
    assert table.loc["Smiling", ["low", "high", "n"]].tolist() == [0.0, 1.0, 0]


def test_the_readable_table_prints_each_row_with_its_interval_and_unit():
    text = readable_table(tidy())

    assert list(text.columns) == ["metric", "group", "value", "images", "positives"]
    assert text.loc["baseline"].set_index("metric")["value"].to_dict() == {
        "AP": "91.2% [89.9, 92.4]",
        "AP balanced": "87.1% [85.1, 88.9]",
        "DEO": "21.3% [17.1, 25.5]",
        "BA": "2.1% [1.2, 3.0]",
        "KL": "1.32 nats [1.02, 1.71]",
    }
    difference = text.loc["debiased - baseline"].set_index("metric")["value"]
    assert difference["AP balanced"].startswith("+0.7 points [−0.4, +1.8]")
    assert difference["KL"] == "−0.51 nats [−0.79, −0.28]"
    assert text["images"].eq(2000).all()
    assert text["positives"].eq(968).all()


@pytest.mark.parametrize("metric", ["DEO", "KL"])
def test_the_readable_table_says_why_a_number_is_missing(metric):
    nan = (math.nan,) * 3
    table = tidy({metric: (nan, nan, nan)}, note="0 positives in Male")

    assert readable_table(table)["value"].tolist() == ["n/a (0 positives in Male)"] * 3


def test_the_readable_table_prints_metrics_that_reports_do_not_show():
    table = tidy({"AP": ((0.5, 0.4, 0.6),) * 3}).iloc[:1].assign(metric="accuracy", group="Male")
    row = readable_table(table).loc["baseline"]

    assert row[["metric", "group", "value"]].tolist() == ["accuracy", "Male", "50.0% [40.0, 60.0]"]


def test_series_hold_the_rows_of_each_name_in_the_order_of_the_table():
    rows = [(kind, k, k / 10) for kind in ("partners", "random pairs") for k in range(3)]
    series = series_of(pd.DataFrame(rows, columns=["pairs", "changed", "value"]), "pairs", "changed")
    assert list(series) == ["partners", "random pairs"]
    assert series["random pairs"].loc[2, "value"] == 0.2
