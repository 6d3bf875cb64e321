"""The command ``truth``: what only drawn faces can show of pairs, planes and classifiers."""
