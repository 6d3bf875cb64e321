"""Many targets and variants in one command: the paper's table, its ablations, and controls."""

from fairlab.table.grid import EVIDENCE, Grid
from fairlab.table.run import table

__all__ = ["EVIDENCE", "Grid", "table"]
