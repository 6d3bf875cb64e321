"""From trained classifiers to numbers."""
