"""Many targets and methods in one command: the paper's table, its ablations, and controls.

`grid` makes the cells, `execute` makes all of them. Nothing is imported here: the
processes that make cells need neither figures nor pages, whose imports take seconds.
"""
