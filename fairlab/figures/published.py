"""The figures that the paper reports, to stand beside measured ones."""

import pandas as pd

#: Mean over the attributes of each group, with the published error.
SOURCE = "Ramaswamy, Kim, Russakovsky, CVPR 2021: CelebA, protected attribute Male"
_GROUPS = ("inconsistently labelled", "gender-dependent", "gender-independent")
_PUBLISHED: dict[str, tuple[tuple[str, str], ...]] = {
    "AP": (("66.3 ± 1.8", "65.2 ± 1.9"), ("78.6 ± 1.4", "77.8 ± 1.4"), ("83.9 ± 1.5", "83.0 ± 1.6")),
    "DEO": (("21.5 ± 4.4", "16.5 ± 4.2"), ("25.7 ± 3.5", "23.4 ± 3.6"), ("16.7 ± 5.0", "13.9 ± 5.2")),
    "BA": (("2.1 ± 0.6", "0.5 ± 0.6"), ("2.3 ± 0.5", "1.6 ± 0.5"), ("0.3 ± 0.6", "0.0 ± 0.5")),
    "KL": (("1.7 ± 0.3", "1.3 ± 0.4"), ("1.3 ± 0.2", "1.2 ± 0.2"), ("1.1 ± 0.5", "0.9 ± 0.6")),
}

FAIRFACE_SOURCE = "Exploring Fairness in the Classification of Faces: FairFace, balanced test"
#: Per cent right: gender, race, both; standard deviation over classes; worst class.
_FAIRFACE: dict[str, tuple[float, float, float, float, float]] = {
    "augmentation": (91.9, 63.1, 58.4, 12.2, 30.2),
    "augmentation, validation attention": (91.4, 62.7, 57.9, 5.8, 50.8),
}


def published_table() -> pd.DataFrame:
    """Return the published means as text: a row for each metric and group of attributes.

    Returns
    -------
    DataFrame
        Index: metric, attributes. Columns baseline, de-biased, source. AP, DEO and BA in points, KL in nats.
    """
    rows = [
        {"metric": metric, "attributes": group, "baseline": before, "de-biased": after, "source": SOURCE}
        for metric, groups in _PUBLISHED.items()
        for group, (before, after) in zip(_GROUPS, groups, strict=True)
    ]
    return pd.DataFrame(rows).set_index(["metric", "attributes"])


def published_fairface() -> pd.DataFrame:
    """Return published per-class figures of a FairFace classifier, without and with class attention.

    Returns
    -------
    DataFrame
        Index: model. Columns gender, race and joint (both right), standard deviation of joint over the 14
        classes, worst class, all in per cent; images; source.
    """
    columns = ["gender", "race", "joint", "standard deviation", "worst class"]
    table = pd.DataFrame.from_dict(_FAIRFACE, orient="index", columns=columns).rename_axis("model")
    return table.assign(images=5162, source=FAIRFACE_SOURCE)
