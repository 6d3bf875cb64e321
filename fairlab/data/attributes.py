"""CelebA's forty attribute names and the groups in which the paper reports them.

"Male" and the other names are annotators' labels of how a face appears in one picture. They are not
identities, and nothing here can tell who a person is.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from fairlab.core.errors import UserError, nearest_names
from fairlab.data.binary_columns import OF

ATTRIBUTES: tuple[str, ...] = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs",
    "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows",
    "Chubby", "Double_Chin", "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones",
    "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin",
    "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair",
    "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace",
    "Wearing_Necktie", "Young",
)  # fmt: skip

#: The paper's three reporting groups (CVPR 2021, Section 4.1), for the protected attribute Male.
REPORTING_GROUPS: dict[str, tuple[str, ...]] = {
    "inconsistently labelled": (
        "Big_Lips", "Big_Nose", "Oval_Face", "Pale_Skin", "Straight_Hair", "Wavy_Hair",
    ),
    "gender-dependent": (
        "Arched_Eyebrows", "Attractive", "Bushy_Eyebrows", "Pointy_Nose", "Receding_Hairline", "Young",
    ),
    "gender-independent": (
        "Bags_Under_Eyes", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair", "Chubby", "Eyeglasses",
        "Gray_Hair", "High_Cheekbones", "Mouth_Slightly_Open", "Narrow_Eyes", "Smiling",
        "Wearing_Earrings", "Wearing_Hat",
    ),
}  # fmt: skip

REPORTED: tuple[str, ...] = tuple(name for group in REPORTING_GROUPS.values() for name in group)


def check_attribute(
    name: str, known: Iterable[str] = ATTRIBUTES, left_out: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return `name` if it is a known attribute; `left_out` has columns that are none, and why.

    Raises
    ------
    UserError
        If it is not; the sentence suggests the nearest names.
    """
    known = list(known)
    if name in left_out and name not in known:
        raise UserError(
            f"The column '{name}' {left_out[name]}, but an attribute is 0/1, -1/1, false/true or no/yes in "
            "all rows; correct these rows or remove them."
        )
    of_column = [each for each in known if each.startswith(f"{name}{OF}")]
    if name not in known and of_column:
        raise UserError(
            f"The column '{name}' holds two texts, and either may be what is present; name the attribute "
            f"{' or '.join(repr(each) for each in of_column)}."
        )
    if name not in known:
        raise UserError(f"There is no attribute '{name}' here; {nearest_names(name, known)}")
    return name
