"""The six steps of latent-space de-biasing with plain arrays: no cache, no run, one file to copy from.

Ramaswamy, Kim, Russakovsky, *Fair Attribute Classification through Latent Space De-biasing*, CVPR 2021.
"""

from tempfile import TemporaryDirectory

import numpy as np

from fairlab.classifiers import Recipe, train_classifier
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.law import observed_labels, sample_factors
from fairlab.generators import generate, sample_latents, shipped_generator
from fairlab.latent import Hyperplane, partner
from fairlab.metrics import best_f1_threshold, bootstrap, calibrated_threshold

NAMES = {"target": "Eyeglasses", "protected": "Male"}
RECIPE = Recipe(backbone="resnet10", width=16, epochs=5, learning_rate=3e-3, schedule="one_cycle")


def main(n_train=8_000, n_latents=6_000, recipe=RECIPE):
    """Print and return AP and DEO, with intervals, of the classifier before and after de-biasing."""
    # Drawn faces, labelled as annotators would: images (n, 64, 64, 3) uint8, labels (n,) of 0 and 1.
    images, labels = {}, {}
    for split, n in (("train", n_train), ("valid", n_train // 4), ("test", n_train // 2)):
        factors = sample_factors(n, seed=0, stream=split)
        table = observed_labels(factors, seed=0)  # (n, 40)
        images[split] = draw(factors, 64)
        labels[split] = {role: table[:, ATTRIBUTES.index(name)] for role, name in NAMES.items()}

    def train(x, y, role):
        with TemporaryDirectory() as folder:
            return train_classifier(
                folder, images=x, labels=y[:, None], attributes=(NAMES[role],), recipe=recipe, seed=0,
                valid_images=images["valid"], valid_labels=labels["valid"][role][:, None],
            )  # fmt: skip

    # 1. A classifier for the target, and one for the protected attribute.
    classifiers = {role: train(images["train"], labels["train"][role], role) for role in NAMES}

    # 2. Latents z ~ N(0, I), and what the generator draws from them.
    generator = shipped_generator()
    z = sample_latents(n_latents, generator.latent_dim, seed=0)  # (n, d)
    faces = generate(generator, z)

    # 3. Labels for these faces, from the classifiers.
    given = {}
    for role, classifier in classifiers.items():
        threshold = best_f1_threshold(labels["valid"][role], classifier.score(images["valid"])[:, 0])
        given[role] = (classifier.score(faces)[:, 0] > threshold).astype(np.uint8)

    # 4. A hyperplane in latent space for each label, from the first half of the latents.
    half = n_latents // 2
    planes = {role: Hyperplane.fit(z[:half], y[:half]) for role, y in given.items()}

    # 5. For the other half the partner z': across the protected plane, as far from the target's as z.
    partners = generate(generator, partner(z[half:], **planes, kind="margin").astype(np.float32))

    # 6. Train again on the real images and all pairs; both faces of a pair have z's target label.
    y = np.concatenate([labels["train"]["target"], given["target"][half:], given["target"][half:]])
    debiased = train(np.concatenate([images["train"], faces[half:], partners]), y, "target")

    tables = {}
    for name, classifier in {"baseline": classifiers["target"], "de-biased": debiased}.items():
        scores = {split: classifier.score(images[split])[:, 0] for split in ("valid", "test")}
        threshold = calibrated_threshold(labels["valid"]["target"], scores["valid"])
        found = bootstrap(
            labels["test"]["target"], scores["test"], labels["test"]["protected"], threshold=threshold
        )
        tables[name] = found.set_index("metric").loc[
            ["AP", "DEO"], ["value", "low", "high", "n", "n_positive"]
        ]
        print(f"{name}\n{tables[name].round(3)}")
    return tables


if __name__ == "__main__":
    main()
