import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from fairlab.core.errors import UserError
from fairlab.figures import plots
from fairlab.figures.trade_off import pareto_front

from .drawn import pixels


def models(n: int, y: str = "AP") -> pd.DataFrame:
    rows = [
        {"model": f"m{i}", "attribute": "", "group": "all", "metric": metric, "value": v,
         "low": v - 0.02, "high": v + 0.02}
        for i in range(n)
        for metric, v in ((y, 0.8 + 0.01 * i), ("DEO", 0.1 + 0.01 * i))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12))
def test_the_front_holds_whom_nobody_beats(points):
    x, y = np.array(points, dtype=float).T
    for i, on_it in enumerate(pareto_front(x, y)):
        beaten = any(x[j] <= x[i] and y[j] >= y[i] and (x[j], y[j]) != (x[i], y[i]) for j in range(len(x)))
        assert on_it == (not beaten)


def test_each_model_has_its_number_where_it_belongs_and_its_intervals():
    figure = plots.trade_off(models(10)).figure
    axis, names = figure.axes
    found = {text.get_text(): text.xy for text in axis.texts}
    assert found == {str(i + 1): pytest.approx((10 + i, 80 + i)) for i in range(10)}
    lines = [drawn.get_segments()[0] for drawn in axis.collections if isinstance(drawn, LineCollection)]
    np.testing.assert_allclose(lines[:2], [[[8, 80], [12, 80]], [[10, 78], [10, 82]]])
    assert [text.get_text() for text in names.texts] == [f"{i + 1}  m{i}" for i in range(10)]
    assert pixels(figure).std() > 0


def test_the_caption_names_the_front_and_another_metric_can_be_chosen():
    table = models(3, y="AP_balanced")
    table.loc[(table["model"] == "m2") & (table["metric"] == "AP_balanced"), "value"] = 0.7
    said = plots.trade_off(table, y="AP_balanced").text
    assert "than m0 (AP_balanced 80.0 [78.0, 82.0], DEO 10.0 [8.0, 12.0]); m1 (" in said
    assert "m2" not in said


def test_it_needs_one_to_forty_models():
    with pytest.raises(UserError, match="1 to 40 models that have both, not 41"):
        plots.trade_off(models(41))
    with pytest.raises(UserError, match="not 0"):
        plots.trade_off(models(2), attribute="Smiling")
