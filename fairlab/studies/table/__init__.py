"""Many targets and variants in one command: the paper's table, its ablations, and controls.

`grid` makes the cells, `run` is the command. Nothing is imported here: the
processes that make cells need neither figures nor pages, whose imports take seconds.
"""
