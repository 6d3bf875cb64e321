"""Rows of one person are no independent observations: `audit --cluster`."""

import numpy as np
import pandas as pd
import pytest

from fairlab.core.errors import UserError
from fairlab.studies.audit.execute import audit


@pytest.fixture
def copies() -> pd.DataFrame:
    """Return 200 people with five rows each that say all the same."""
    rng = np.random.default_rng(0)
    y, g = rng.integers(0, 2, (2, 200))
    people = pd.DataFrame({"y": y, "g": np.where(g, "f", "m"), "person": [f"p{i}" for i in range(200)]})
    people["s"] = np.clip(0.3 + 0.3 * y + 0.2 * rng.standard_normal(200), 0, 1).round(3)
    return people.loc[people.index.repeat(5)].reset_index(drop=True)


def measured(folder, rows, **options) -> tuple[str, pd.DataFrame]:
    rows.to_csv(folder / "model.csv", index=False)
    out = folder / f"out{len(list(folder.iterdir()))}"
    told = audit(
        folder / "model.csv", label="y", score="s", protected=["g"], threshold=0.5, out=out, **options
    )
    return told, pd.read_csv(out / "metrics.csv").set_index(["metric", "group"])


def test_copies_of_a_row_are_worth_no_more_than_the_row(tmp_path, copies):
    told, together = measured(tmp_path, copies, cluster="person")
    _, alone = measured(tmp_path, copies.drop_duplicates("person"))
    _, naive = measured(tmp_path, copies)
    assert "Intervals draw the 200 values of 'person' and not the 1,000 rows" in told
    keys = [("accuracy", "all"), ("FNR", "g = f"), ("AUC", "all"), ("AP", "all"), ("KL", "g"), ("BA", "g")]
    for key in [*keys, ("accuracy_difference", "g")]:
        widths = [float(table.loc[key, "high"] - table.loc[key, "low"]) for table in (together, alone, naive)]
        assert widths[0] == pytest.approx(widths[1], rel=0.2), key
        assert widths[2] < 0.8 * widths[1], key
    assert together.loc[keys, "value"].to_numpy() == pytest.approx(
        alone.loc[keys, "value"].to_numpy(), abs=1e-9
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"person": "ann"}, "holds only 'ann', so nothing is known of others"),
        ({"person": ["", *["bo"] * 999]}, "is empty in row 1; every row needs a cluster"),
    ],
)
def test_clusters_that_tell_nothing_are_one_sentence(tmp_path, copies, change, sentence):
    with pytest.raises(UserError, match=sentence):
        measured(tmp_path, copies.assign(**change), cluster="person")


def test_a_missing_column_is_one_sentence(tmp_path, copies):
    with pytest.raises(UserError, match="has no column 'persons'"):
        measured(tmp_path, copies, cluster="persons")
