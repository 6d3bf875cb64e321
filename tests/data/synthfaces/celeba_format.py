"""Write SynthFaces in CelebA's own layout, so that any program that reads CelebA reads it too."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from fairlab.core.files import atomic_path, write_text
from fairlab.data.attributes import ATTRIBUTES
from fairlab.data.facedata import SPLITS
from fairlab.data.synthfaces.draw import draw
from fairlab.data.synthfaces.source import SynthFacesSource, image_name

HEIGHT, WIDTH = 218, 178
# The square that readers of CelebA cut out: 128 pixels, centred at row 121 and column 89.
FACE, TOP, LEFT = 128, 121 - 64, 89 - 64

_CHUNK = 128


def write_celeba_format(source: SynthFacesSource, root: Path) -> Path:
    """Write all faces of `source` into `root` as CelebA is published, and return `root`.

    ``img_align_celeba/NNNNNN.jpg`` (178 x 218, the face in the window that is cut out by CelebA's readers),
    ``list_attr_celeba.txt``, ``list_eval_partition.txt`` and ``identity_CelebA.txt``. Every face is an
    identity of its own. Images that are there already are kept, so an interrupted call can be repeated.
    """
    root = Path(root)
    factors = source.factors()
    images = root / "img_align_celeba"
    images.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool, tqdm(total=len(factors), desc="Writing CelebA's format") as bar:
        for start in range(0, len(factors), _CHUNK):
            rows = range(start, min(start + _CHUNK, len(factors)))
            paths = [images / image_name(row) for row in rows]
            if not all(path.exists() for path in paths):
                pictures = draw(factors[rows.start : rows.stop], FACE)
                list(pool.map(_write_image, paths, pictures))
            bar.update(len(rows))
    _write_tables(root, source.labels(factors).to_numpy(), list(source.counts.values()))
    return root


def _write_image(path: Path, face: np.ndarray) -> None:
    below, right = HEIGHT - TOP - FACE, WIDTH - LEFT - FACE
    framed = np.pad(face, ((TOP, below), (LEFT, right), (0, 0)), mode="edge")  # (218, 178, 3)
    with atomic_path(path) as partial:
        Image.fromarray(framed).save(partial, format="JPEG", quality=95)


def _write_tables(root: Path, labels: np.ndarray, counts: list[int]) -> None:
    names = [image_name(row) for row in range(len(labels))]
    values = ["".join(f"{value:3d}" for value in row) for row in 2 * labels.astype(int) - 1]
    rows = [f"{name} {line}" for name, line in zip(names, values, strict=True)]
    write_text(root / "list_attr_celeba.txt", "\n".join([str(len(rows)), " ".join(ATTRIBUTES), *rows, ""]))
    split = np.repeat(np.arange(len(SPLITS)), counts)
    lines = [f"{name} {part}\n" for name, part in zip(names, split, strict=True)]
    write_text(root / "list_eval_partition.txt", "".join(lines))
    lines = [f"{name} {identity}\n" for identity, name in enumerate(names, start=1)]
    write_text(root / "identity_CelebA.txt", "".join(lines))
