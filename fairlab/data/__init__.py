"""Images with labels: one uint8 store, filled from CelebA, from your own folder or from SynthFaces."""

from fairlab.data.facedata import SPLITS, FaceData

__all__ = ["SPLITS", "FaceData"]
