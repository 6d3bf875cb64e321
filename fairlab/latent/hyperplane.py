"""A hyperplane in latent space that separates the latents of images with a label from those without."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fairlab.core.errors import UserError
from fairlab.core.files import read_json, write_json


class OneSidedLabels(UserError):
    """All labels are the same, so that no hyperplane separates them."""


@dataclass(frozen=True, eq=False)
class Hyperplane:
    """The points z with ``normal · z + intercept = 0``; the positive label lies at positive distance.

    Parameters
    ----------
    normal : array of shape (d,)
        Points towards the positive label. Scaled to length 1 on construction if it is not.
    intercept : float
        Scaled by the same factor as the normal.
    held_out_accuracy : float, optional
        Share of held-out latents on the side of their label, 0..1.
    held_out_majority : float, optional
        Share of the commoner label among the held-out latents, 0..1: the accuracy of always guessing it.
    n_positive, n_negative : int, optional
        Labels the plane was fitted on.

    Raises
    ------
    UserError
        If the normal is not a finite, non-zero vector or the intercept is not finite.

    Examples
    --------
    >>> plane = Hyperplane([3.0, 4.0], intercept=5.0)
    >>> plane.normal
    array([0.6, 0.8])
    >>> plane.distance([[0.0, 0.0], [1.0, 3.0]]).round(6)
    array([1., 4.])
    """

    normal: np.ndarray
    intercept: float
    held_out_accuracy: float | None = None
    held_out_majority: float | None = None
    n_positive: int | None = None
    n_negative: int | None = None

    def __post_init__(self) -> None:
        normal = np.array(self.normal, dtype=np.float64)
        if normal.ndim != 1 or normal.size == 0:
            raise UserError(
                f"A hyperplane's normal must be a vector of shape (d,); this one has shape {normal.shape}."
            )
        length = float(np.linalg.norm(normal))
        if not (math.isfinite(length) and length > 0 and math.isfinite(self.intercept)):
            raise UserError(
                f"A hyperplane needs a finite, non-zero normal and a finite intercept; "
                f"got length {length} and intercept {self.intercept}."
            )
        # A normal that is already unit keeps its bits, so that a saved plane is loaded unchanged.
        scale = 1.0 if abs(length - 1.0) < 1e-14 else length
        normal /= scale
        normal.flags.writeable = False
        object.__setattr__(self, "normal", normal)
        object.__setattr__(self, "intercept", float(self.intercept) / scale)

    @classmethod
    def fit(
        cls,
        z: ArrayLike,
        labels: ArrayLike,
        *,
        held_out: tuple[ArrayLike, ArrayLike] | float | None = None,
        regularisation: float = 1.0,
        max_iterations: int = 1000,
    ) -> Hyperplane:
        """Fit a linear support vector machine (squared hinge loss, primal form) to labelled latents.

        Parameters
        ----------
        z : array of shape (n, d)
            Latents.
        labels : array of shape (n,)
            0 or 1 for the image generated from each latent.
        held_out : pair (z, labels), or float, optional
            Latents on which `held_out_accuracy` is measured; a fraction in (0, 1) takes the last rows of `z`.
        regularisation : float
            The SVM's C; larger fits the labels more closely.
        max_iterations : int
            Newton iterations after which the solver gives up with a warning.

        Raises
        ------
        UserError
            If shapes differ, latents are not finite, or labels are not 0 and 1; `OneSidedLabels` if one of
            them is missing.

        Notes
        -----
        Source: Ramaswamy et al., CVPR 2021, Section 3: 10,000 latents to fit, 5,000 held out.
        """
        latents, classes = _check_labelled(z, labels)
        if isinstance(held_out, int | float):
            first = _first_held_out(len(latents), held_out)
            held_out = latents[first:], classes[first:]
            latents, classes = latents[:first], classes[:first]
        n_positive = int(classes.sum())
        if n_positive in (0, len(classes)):
            raise OneSidedLabels(
                f"A hyperplane separates two classes, but of {len(classes)} labels {n_positive} are 1 and "
                f"{len(classes) - n_positive} are 0; sample more latents or choose another attribute."
            )
        normal, intercept = _fit_svm(latents, classes, regularisation, max_iterations)
        plane = cls(normal, intercept, n_positive=n_positive, n_negative=len(classes) - n_positive)
        return plane if held_out is None else plane._measured_on(*held_out)

    def _measured_on(self, z: ArrayLike, labels: ArrayLike) -> Hyperplane:
        latents, classes = _check_labelled(z, labels)
        share = float(classes.mean())
        return Hyperplane(
            self.normal,
            self.intercept,
            held_out_accuracy=float(np.mean((self.distance(latents) > 0) == classes)),
            held_out_majority=max(share, 1.0 - share),
            n_positive=self.n_positive,
            n_negative=self.n_negative,
        )

    def distance(self, z: ArrayLike) -> np.ndarray:
        """Return the signed distance of each latent, (n,) float64, in units of the latent space.

        Raises
        ------
        UserError
            If `z` is not a finite array of shape (n, d) with this plane's d.
        """
        return project(z, self.normal[None])[:, 0] + self.intercept

    @property
    def dimension(self) -> int:
        """d, the number of latent dimensions."""
        return len(self.normal)

    def cosine(self, other: Hyperplane) -> float:
        """Return the cosine between the two normals, -1..1: how far the labels share a direction."""
        if self.dimension != other.dimension:
            raise UserError(
                f"The two hyperplanes live in {self.dimension} and {other.dimension} dimensions; "
                f"fit both on latents of one generator."
            )
        return float(np.clip(self.normal @ other.normal, -1.0, 1.0))

    def angle(self, other: Hyperplane) -> float:
        """Return the angle between the two normals in degrees, 0..180."""
        return math.degrees(math.acos(self.cosine(other)))

    def save(self, path: Path | str) -> None:
        """Write the plane as JSON, whole or not at all; every float is kept to the last bit."""
        write_json(Path(path), {**self.__dict__, "normal": self.normal.tolist()})

    @classmethod
    def load(cls, path: Path | str) -> Hyperplane:
        """Read what `save` wrote.

        Raises
        ------
        UserError
            If the file is missing, damaged, or not a hyperplane.
        """
        fields: Any = read_json(Path(path))
        try:
            return cls(**fields)
        except (TypeError, ValueError) as error:
            raise UserError(f"{path} does not hold a hyperplane ({error}); fit it again.") from error


def check_latents(z: ArrayLike, dimension: int | None = None) -> np.ndarray:
    """Return `z` as an (n, d) float64 array, or raise UserError saying what is wrong with its shape."""
    try:
        latents = np.asarray(z, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(f"Latents must be an (n, d) array of numbers ({error}).") from error
    if latents.ndim != 2:
        raise UserError(f"Latents must have shape (n, d); these have shape {latents.shape}.")
    if dimension is not None and latents.shape[1] != dimension:
        raise UserError(
            f"These latents have {latents.shape[1]} dimensions but the hyperplane has {dimension}; "
            f"use latents of the generator it was fitted on."
        )
    return latents


def project(z: ArrayLike, vectors: np.ndarray) -> np.ndarray:
    """Return the scalar product of each latent (n, d) with each vector (k, d), (n, k) float64.

    Raises
    ------
    UserError
        If `z` is not a finite array of shape (n, d).
    """
    latents = check_latents(z, vectors.shape[1])
    with np.errstate(invalid="ignore"):
        products = latents @ vectors.T
    # A latent that is not finite has no finite product: k numbers to look at instead of d.
    _check_finite(products)
    return products


def _check_finite(rows: np.ndarray) -> None:
    n_bad = int((~np.isfinite(rows)).any(axis=1).sum())
    if n_bad:
        raise UserError(f"{n_bad} of {len(rows)} latents hold NaN or infinity; leave these rows out.")


def _check_labelled(z: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    latents, classes = check_latents(z), np.asarray(labels)
    _check_finite(latents)
    if classes.shape != (len(latents),):
        raise UserError(
            f"There are {len(latents)} latents but labels of shape {classes.shape}; give one each."
        )
    wrong = (classes != 0) & (classes != 1)
    if wrong.any():
        raise UserError(
            f"Labels of latents must be 0 or 1, but {wrong.sum()} of {len(classes)} are not "
            f"(first: {classes[wrong][0]})."
        )
    return latents, classes.astype(bool)


def _first_held_out(n: int, fraction: float) -> int:
    if not 0.0 < fraction < 1.0:
        raise UserError(f"The held-out fraction must lie between 0 and 1, not {fraction}.")
    first = n - round(n * fraction)
    if first in (0, n):
        raise UserError(f"Holding out {fraction} of {n} latents leaves one side empty; sample more latents.")
    return first


def _fit_svm(
    latents: np.ndarray, classes: np.ndarray, regularisation: float, max_iterations: int
) -> tuple[np.ndarray, float]:
    from sklearn.exceptions import ConvergenceWarning  # takes a second
    from sklearn.svm import LinearSVC

    # The primal is the quick and deterministic form when there are more latents than dimensions.
    svm = LinearSVC(dual=False, C=regularisation, max_iter=max_iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        svm.fit(latents, classes)
    if svm.n_iter_ >= max_iterations:
        warnings.warn(
            f"The hyperplane's fit had not converged after {max_iterations} iterations, so its direction is "
            "rough; fit it to more latents (n_fit), or raise max_iterations of Hyperplane.fit.",
            stacklevel=3,
        )
    return svm.coef_[0], float(svm.intercept_[0])
