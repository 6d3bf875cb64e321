"""Odd command lines: every command with values that nobody should give."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

#: What stands for a value of any option.
ODD = (
    "", " ", "\t", "\n", "a\nb", "a" * 5_000, "a" * 255, "é" * 300, "word " * 1_000, "\x1b[31mred\x1b[0m",
    "\x07", "\u202eabc", "\udcff", "\0", "a\0b", "-1", "0", "1", "2", "1e308", "nan", "inf", "-inf",
    "9" * 5_000, "99999999999999999999", "0x10", "１２", "½", "0.5", "1,5", "..", ".", "/", "/dev/null",
    "/dev/full", "/proc/self/none", "/etc/hostname/x", "~", "*", "$(x)", "a/b", "../../x", "x=y", "=", "=1",
    "n_pairs=", "n_pairs=-1", "n_pairs=nan", "n_pairs=" + "9" * 30, "partner=\x1b[0m", "latent_pairs:",
    "erm:x", "a:b:c", ":", ",", "[", "(", "%s", "{0}", "None", "True", "--", "-", "-x", "@file", "it's", '"',
    "\\", "<script>", "Smiling", "Male", "smoke", "synthfaces", "folder", "celeba", "y", "s", "g", "y > 0.1",
    "FNR[g = a] > 0.1", "g=0,1", "g=1,0", "g=nan,x", "FOLDER", "TABLE", "BINARY", "EMPTY", "IMAGES", "cpu",
    "cuda:99", "meta", "all",
)  # fmt: skip

COUNTED = ("--resamples", "--rounds")  # of which many are no mistake, only slow
SOURCE = ("--data", "--data-root", "--labels-csv", "--preset", "--image-size", "--home")
RUN = (*SOURCE, "--target", "--protected", "--seeds", "--method", "--run", "--set", "--generator", "--device",
       "--variant", "--labeller", "--positive-share", "--inverted", "--target-planes")  # fmt: skip
AUDIT = ("--label", "--score", "--prob-prefix", "--predicted", "--positive", "--protected", "--compare",
         "--id", "--cluster", "--weight", "--bins", "--reference", "--threshold", "--resamples", "--seed",
         "--fail-if", "--fail-on", "--out", "--format")  # fmt: skip
LEAKAGE = ("--valid", "--test", "--ids", "--valid-ids", "--test-ids", "--predictions", "--valid-predictions",
           "--test-predictions", "--performance", "--performance-metric", "--id", "--protected", "--labels",
           "--attacker", "--rounds", "--seed", "--out")  # fmt: skip

#: Each command's words, what it needs beside them, and its options.
COMMANDS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (("run",), ("--preset", "smoke"), RUN),
    (("run", "--data", "folder", "--data-root", "IMAGES"), ("--preset", "smoke", "--target", "smile"), RUN),
    (("table",), ("--preset", "smoke", "--targets", "Smiling"), (*RUN[:6], "--targets", "--methods", "--jobs",
                                                                "--out", "--set", "--seeds", "--variants")),
    (("truth",), ("--preset", "smoke"), (*RUN, "--faces", "--inverted-faces", "--moved", "--searched")),
    (("discriminability", "Smiling", "Male"), ("--preset", "smoke"), (*SOURCE, "--seeds", "--images",
                                                                      "--out")),
    (("methods",), (), ("",)),
    (("prepare",), ("--preset", "smoke"), SOURCE),
    (("gan", "train"), ("--preset", "smoke"), (*SOURCE, "--device")),
    (("gan", "report"), ("--preset", "smoke"), (*SOURCE, "--generator", "--device")),
    (("audit", "TABLE"), ("--label", "y", "--score", "s", "--protected", "g", "--resamples", "25", "--out",
                          "OUT"), AUDIT),
    (("leakage", "TABLE"), ("--protected", "g", "--rounds", "1"), LEAKAGE),
    (("notebooks",), ("--preset", "smoke"), (*RUN, "--only")),
)  # fmt: skip


def odd_lines(n: int, seed: int, places: dict[str, str]) -> Iterator[list[str]]:
    """Yield `n` command lines; words in capitals among their values stand for the paths in `places`."""
    dice = random.Random(seed)
    for _ in range(n):
        words, needed, options = dice.choice(COMMANDS)
        line = [*words, *needed]
        for _ in range(dice.choice((1, 1, 1, 2))):
            line += _odd_option(dice, options)
        if dice.random() < 0.1:
            line[dice.randrange(len(line))] = dice.choice(ODD)
        yield [places.get(word, word) for word in line]


def _odd_option(dice: random.Random, options: tuple[str, ...]) -> list[str]:
    flag = dice.choice(options)
    values = [dice.choice(ODD) for _ in range(dice.choice((1, 1, 1, 2)))]
    if flag in COUNTED:
        values = [value for value in values if not value.startswith("9")]
    if flag == "":
        return values
    return [f"{flag}={values[0]}"] if values and dice.random() < 0.3 else [flag, *values]


def make_places(folder: Path) -> dict[str, str]:
    """Make a table, a folder of images and files that are none of these; return their paths."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 60)
    table = pd.DataFrame({"y": y, "s": random.random(60).round(3), "g": random.choice(["a", "b"], 60)})
    table.to_csv(folder / "table.csv", index=False)
    (folder / "images").mkdir()
    names = [f"{number}.png" for number in range(24)]
    for name in names:
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(folder / "images" / name)
    labels = pd.DataFrame(
        {"file": names, "smile": random.integers(0, 2, 24), "male": random.integers(0, 2, 24)}
    )
    labels.to_csv(folder / "images" / "labels.csv", index=False)
    (folder / "empty.csv").touch()
    (folder / "binary.csv").write_bytes(random.bytes(3_000))
    named = {"TABLE": "table.csv", "FOLDER": "folder", "IMAGES": "images", "EMPTY": "empty.csv",
             "BINARY": "binary.csv", "OUT": "out"}  # fmt: skip
    (folder / "folder").mkdir()
    return {word: str(folder / name) for word, name in named.items()}
