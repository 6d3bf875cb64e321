"""Write the coverage tables into docs/coverage: `python -m tests.metrics.coverage`, about 15 minutes."""

from pathlib import Path

from tests.metrics.coverage import gaps, leakage, seeds

FOLDER = Path(__file__).parents[3] / "docs" / "coverage"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    tables = {
        "seeds": seeds.table(repetitions=4000),
        "groups": gaps.table(repetitions=400),
        "leakage": leakage.table(repetitions=300),
        "two_groups": gaps.two_groups(repetitions=400),
    }
    for name, table in tables.items():
        table.to_csv(FOLDER / f"{name}.csv", index=False, float_format="%.3f")
        print(table.round(3).to_string())
