"""One experiment: its settings, presets, and the run that answers for it."""
