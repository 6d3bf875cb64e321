"""Many targets and methods in one command: the paper's table, its ablations, and controls.

`grid` names the cells, `cells` makes them, `results` makes all of them and what comes of them. Nothing is
imported here: the processes that make cells need neither figures nor pages, whose imports take seconds.
"""
