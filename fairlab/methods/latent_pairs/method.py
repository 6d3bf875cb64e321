"""Latent-space de-biasing: pairs of generated faces with one target label (Ramaswamy et al., CVPR 2021)."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from fairlab.classifiers import TrainingSet
from fairlab.core.errors import UserError, nearest_names
from fairlab.core.files import load_array
from fairlab.core.store import Step
from fairlab.latent import PARTNERS, check_partner, flip_combinations
from fairlab.latent.flips import MOST_PROTECTED
from fairlab.methods.base import Counts
from fairlab.methods.latent_pairs.generated import GeneratedFaces, labelled_faces, roles, save_faces
from fairlab.methods.latent_pairs.inversion import invert_images
from fairlab.methods.latent_pairs.planes import fit_planes, load_planes, partners, save_planes
from fairlab.methods.latent_pairs.pseudo_labels import PseudoLabels
from fairlab.workspace.workspace import Workspace

HALVES = ("both", "z", "z_prime")
TARGET_PLANES = ("one", "by_group")


@dataclass(frozen=True)
class LatentPairs(GeneratedFaces):
    """Add each generated face and its partner, which keeps the target label and flips the protected one.

    Attributes
    ----------
    partner : str
        Which partner point: one of `fairlab.latent.PARTNERS`.
    use : {"both", "z", "z_prime"}
        Both faces of each pair (the paper's), or one half alone.
    target_planes : {"one", "by_group"}
        One hyperplane for the target, or one fitted within each protected group.
    positive_share : float or None
        Fit hyperplanes to a subset of the latents of which this share is positive; None takes all.
    n_inverted : int
        Real training images whose counterparts are added, instead of pairs of random latents; 0 for none.
    """

    name: ClassVar[str] = "latent_pairs"
    paper: ClassVar[str] = "Ramaswamy, Kim, Russakovsky, CVPR 2021"

    partner: str = "mirrored"
    use: str = "both"
    target_planes: str = "one"
    positive_share: float | None = None
    n_inverted: int = 0

    def training_set(self, work: Workspace, seed: int) -> TrainingSet:
        """Walk the six steps: X, and the pairs with the label that was given to z."""
        faces = self.faces(work)  # step 2: z ~ N(0, I) and its images
        labels = self.all_labels(work, faces, seed)  # step 3 (annotators are step 1)
        pairs, rows = self.pair_source(work, faces), self.source_rows
        y, a = self.pair_labels(work, pairs, labels)
        inputs = {role: given.fingerprint for role, given in labels.items()}
        real, z = work.real("train"), labelled_faces(pairs, rows, y, a, inputs)
        if self.use == "z":
            return real + z  # without partners, planes say nothing
        planes = self.planes(work, faces, labels)  # step 4
        moved = self.partners(work, faces, planes)  # step 5: z' and its images
        flips = flip_combinations(len(work.protected))  # one block of partners for each
        groups = np.concatenate([1 - a if 0 in flipped else a for flipped in flips])
        inputs = inputs | {"partners": moved.fingerprint}
        z_prime = labelled_faces(moved, slice(None), np.tile(y, len(flips)), groups, inputs)
        if self.use == "z_prime" or self.n_inverted:  # inverted images are in X already
            return real + z_prime
        return real + z + z_prime  # step 6: what the classifier learns from, X and X_aug

    def all_labels(self, work: Workspace, faces: Step, seed: int) -> dict[str, PseudoLabels]:
        """Label all generated faces, for the target and every protected attribute."""
        return {role: self.pseudo_labels(work, faces, role, seed) for role in roles(work)}

    def planes(self, work: Workspace, faces: Step, labels: dict[str, PseudoLabels]) -> Step:
        """Fit the hyperplanes on the first latents; on inverted validation images, too, if there are any."""
        inverted = invert_images(work, "valid", self.n_inverted) if self.n_inverted else None

        def make(folder: Path) -> None:
            z = load_array(faces.folder / "z.npy")
            given = {role: pseudo.labels for role, pseudo in labels.items()}
            to_fit = z[self.fit_rows], {role: y[self.fit_rows] for role, y in given.items()}
            held_out = z[self.held_out_rows], {role: y[self.held_out_rows] for role, y in given.items()}
            planes = fit_planes(
                *(to_fit if inverted is None else _with_inverted(work, *to_fit, inverted)),
                held_out=held_out,
                names=roles(work),
                by_group=self.target_planes == "by_group",
                positive_share=self.positive_share,
                seed=work.seed,
            )
            save_planes(folder, planes)

        config = {"n_fit": self.n_fit, "n_held_out": self.n_held_out, "target_planes": self.target_planes}
        config |= {"positive_share": self.positive_share, "seed": work.seed}
        inputs = {"latents": faces.fingerprint} | {role: y.fingerprint for role, y in labels.items()}
        if inverted is not None:
            inputs |= {"inverted": inverted.fingerprint}
        return work.store("latents").shared_step("planes", make, config=config, inputs=inputs)

    def partners(self, work: Workspace, faces: Step, planes: Step) -> Step:
        """Build z' for each z and draw it: ``z.npy``, ``images.npy``; see `planes.partners` for the order."""
        source = self.pair_source(work, faces)

        def make(folder: Path) -> None:
            z = load_array(source.folder / "z.npy")[self.source_rows]
            moved = partners(z, load_planes(planes.folder), self.partner).astype(np.float32)
            save_faces(folder, moved, work.generator, work.image_size, "Generating partners")

        config = {"partner": self.partner, "n": self.n_inverted or self.n_pairs}
        inputs = {"hyperplanes": planes.fingerprint, "latents": source.fingerprint}
        return work.store("latents").shared_step("partners", make, config=config, inputs=inputs)

    def pair_source(self, work: Workspace, faces: Step) -> Step:
        """Return where ``z.npy`` and ``images.npy`` of pairs are: random latents, or inverted real images."""
        return invert_images(work, "train", self.n_inverted) if self.n_inverted else faces

    @property
    def source_rows(self) -> slice:
        """Rows of `pair_source` for which partners are built."""
        return slice(0, self.n_inverted) if self.n_inverted else self.pair_rows

    def pair_labels(
        self, work: Workspace, source: Step, labels: dict[str, PseudoLabels]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return target and protected labels of each pair's z, (n,): given, or the real images' own."""
        if self.n_inverted:
            rows = load_array(source.folder / "rows.npy")
            return work.data.label(work.target, "train")[rows], work.groups("train")[rows]
        given = (labels[role].labels[self.pair_rows] for role in ("target", "protected"))
        return next(given), next(given)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_partner(self.partner)
        for name, known in (("use", HALVES), ("target_planes", TARGET_PLANES)):
            if (value := getattr(self, name)) not in known:
                raise UserError(f"There is no {name} '{value}'; {nearest_names(value, known)}")
        if self.positive_share is not None and not 0 < self.positive_share < 1:
            raise UserError(f"The share of positives is {self.positive_share}; it must lie between 0 and 1.")
        if self.n_inverted and self.n_inverted < 24:
            raise UserError(f"n_inverted is {self.n_inverted}; invert at least 24 images, or none.")
        if self.n_inverted and self.use == "z":
            raise UserError("n_inverted adds counterparts, and use=z has none; leave one of them out.")
        if self.target_planes == "by_group" and self.positive_share is not None:
            raise UserError(
                "Target planes by group are fitted to all latents of a group; leave positive_share or "
                "target_planes out."
            )
        if self.target_planes == "by_group" and not PARTNERS[self.partner].keeps_target:
            raise UserError(
                f"The partner '{self.partner}' ignores target planes, so they cannot depend on the group; "
                "choose another, or leave target_planes out."
            )

    def check(self, work: Workspace) -> None:
        """Refuse more protected attributes, or more inverted images, than can be."""
        if len(work.protected) > MOST_PROTECTED:
            raise UserError(
                f"{len(work.protected)} protected attributes would need a partner for each combination; "
                f"name at most {MOST_PROTECTED}."
            )
        if self.target_planes == "by_group" and len(work.protected) > 1:
            raise UserError(
                "Target planes by group need one protected attribute; name one, or leave target_planes out."
            )
        if self.n_inverted > (available := work.source.counts["train"]):
            raise UserError(
                f"n_inverted asks for {self.n_inverted:,} images, but the train split has {available:,}; "
                "invert fewer."
            )

    def n_partners(self, n_protected: int) -> int:
        """Return how many partners are built for one training seed: one for each combination of flips."""
        return (self.n_inverted or self.n_pairs) * (2**n_protected - 1)

    def counts(self, work: Workspace) -> Counts:
        """Return the images of the training set, of the generator, of annotators, and of the inversion."""
        n_partners = self.n_partners(len(work.protected))
        n_z = 0 if self.n_inverted or self.use == "z_prime" else self.n_pairs
        added = {"z": n_z, "z_prime": n_partners, "both": n_z + n_partners}[self.use]
        valid = min(self.n_inverted, work.source.counts["valid"])
        return dataclasses.replace(
            super().counts(work),
            trained=work.source.counts["train"] + added,
            generated_per_seed=n_partners if self.use != "z" else 0,
            inverted=self.n_inverted + valid,
        )


def _with_inverted(
    work: Workspace, z: np.ndarray, labels: dict[str, np.ndarray], inverted: Step
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Add inverted images to the latents to fit on; they have labels of their own."""
    rows = load_array(inverted.folder / "rows.npy")
    known = {role: work.data.label(name, "valid")[rows] for role, name in roles(work).items()}
    return (
        np.concatenate([z, load_array(inverted.folder / "z.npy")]),
        {role: np.concatenate([y, known[role]]) for role, y in labels.items()},
    )
