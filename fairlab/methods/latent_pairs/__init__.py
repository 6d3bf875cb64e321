"""Pairs of generated faces (Ramaswamy et al., CVPR 2021)."""
