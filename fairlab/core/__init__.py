"""Machinery that knows no faces: errors, files, steps, devices, processes."""
