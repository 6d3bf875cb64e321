"""How a classifier is trained: one frozen dataclass, and the paper's recipe."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from fairlab.core.errors import UserError, nearest_names

CHOICES: dict[str, tuple[str, ...]] = {
    "backbone": ("resnet10", "resnet18", "resnet34", "resnet50"),
    "pretrained": ("required", "preferred", "none"),
    "schedule": ("constant", "one_cycle"),
    "selection": ("average_precision", "group_balanced_average_precision"),
    "precision": ("auto", "float32", "bfloat16"),
}


@dataclass(frozen=True)
class Recipe:
    """Everything that determines how a classifier is built and trained, apart from data and seed.

    Attributes
    ----------
    backbone : str
        A name in `fairlab.classifiers.networks.BACKBONES`.
    width : int
        Channels of the first stage (the later ones have 2, 4 and 8 times as many). Standard: 64.
    pretrained : {"required", "preferred", "none"}
        ImageNet weights: an error without them, a warning without them, or not wanted.
    hidden_head : bool
        The paper's head (linear d→d, ReLU, dropout, linear d→k) instead of one linear layer.
    dropout : float
        Probability in the head, in [0, 1).
    epochs : int
        Passes over the training images.
    batch_size : int
        Images per optimiser step, over all processes together.
    learning_rate : float
        Of Adam; with a schedule, its peak.
    schedule : {"constant", "one_cycle"}
        The learning rate over the run: as it is (the paper), or up in a line over the first fifth and down
        to 0 over the rest, which gets further in few epochs.
    weight_decay : float
        L2 penalty of Adam, per step.
    detail : int or None
        First reduce the shorter side to at most this many pixels. None: keep the stored detail.
    resize : int or None
        Then bring the shorter side to this many pixels (bilinear). None: leave it.
    padding : int
        Pixels of reflected border the random training crop may reach into.
    crop : int
        Side of the square the network sees, in pixels: random in training, centred in evaluation.
    flip : bool
        Mirror half of the training images left to right.
    selection : {"average_precision", "group_balanced_average_precision"}
        The validation figure whose best epoch is kept, averaged over the attributes.
    precision : {"auto", "float32", "bfloat16"}
        Arithmetic of the backbone; "auto" takes bfloat16 where the device computes it natively.

    Raises
    ------
    UserError
        If a name is misspelt or a number out of range.
    """

    backbone: str = "resnet18"
    width: int = 64
    pretrained: str = "none"
    hidden_head: bool = True
    dropout: float = 0.5
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    schedule: str = "constant"
    weight_decay: float = 0.0
    detail: int | None = None
    resize: int | None = 64
    padding: int = 4
    crop: int = 64
    flip: bool = True
    selection: str = "average_precision"
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what cannot be trained, in one sentence."""
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise UserError(f"There is no {name} '{value}'; {nearest_names(str(value), known)}")
        for name in ("width", "epochs", "batch_size", "learning_rate", "crop"):
            if not getattr(self, name) > 0:
                raise UserError(f"A recipe's {name} must be above 0, not {getattr(self, name)}.")
        for name in ("weight_decay", "padding"):
            if not getattr(self, name) >= 0:
                raise UserError(f"A recipe's {name} must not be negative, but it is {getattr(self, name)}.")
        if self.batch_size < 2:
            raise UserError("A recipe's batch_size must be at least 2: batch normalisation compares images.")
        if not 0 <= self.dropout < 1:
            raise UserError(f"A recipe's dropout must lie in [0, 1), but it is {self.dropout}.")
        if self.resize is not None and self.crop > self.resize:
            raise UserError(
                f"A crop of {self.crop} pixels does not fit into images of {self.resize}; lower the crop."
            )
        if self.pretrained != "none" and self.width != 64:
            raise UserError("ImageNet weights exist for width 64 only; set pretrained to 'none'.")

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate after a share `progress`, in [0, 1], of the whole run."""
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * min(progress / 0.2, (1 - progress) / 0.8)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Recipe:
        """Build a recipe from what `dataclasses.asdict` gave, as read back from JSON."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UserError(f"A recipe has no setting '{name}'; {nearest_names(name, known)}")
        return cls(**values)


#: Step 1 of the paper (Section 4): ResNet-50 with ImageNet weights, Adam 1e-4, batch 32, 20 epochs.
PAPER = Recipe(
    backbone="resnet50",
    pretrained="required",
    epochs=20,
    batch_size=32,
    learning_rate=1e-4,
    detail=64,
    resize=256,
    padding=0,
    crop=224,
)
