"""FairLab: see an image classifier become unfair, walk a GAN's latent space, repair the classifier."""

__version__ = "0.1.0"
