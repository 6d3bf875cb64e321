"""How long a user waits for one sentence, against the import of pandas alone."""

import statistics
import subprocess
import sys

import pytest

#: Command lines that end in a sentence, and how many imports of pandas each may take.
COMMANDS = {
    "--help": 0.5,
    "audit table.csv --label y --score z --protected sex": 2.5,
    "leakage table.csv --protected sexx": 2.5,
    "run --target Smilling": 2.5,
    "table --methods nonsense": 2.5,
}
TIMED = """
import resource, subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


def seconds(folder, *arguments, repeats=5):
    """Return the median processor time of Python with arguments."""
    command = [sys.executable, "-c", TIMED, *arguments]
    runs = [subprocess.run(command, capture_output=True, text=True, cwd=folder) for _ in range(repeats)]
    return statistics.median(float(run.stdout) for run in runs)


@pytest.mark.benchmark
@pytest.mark.slow
def test_a_sentence_takes_about_as_long_as_pandas(tmp_path):
    (tmp_path / "table.csv").write_text("y,s,sex\n" + "0,0.1,F\n1,0.9,M\n" * 50)
    pandas = seconds(tmp_path, "-c", "import pandas")
    found = {line: seconds(tmp_path, "-m", "fairlab", *line.split()) for line in COMMANDS}
    print(f"\nimport pandas: {pandas:.2f} s of processor time")
    for line, time in found.items():
        print(f"fairlab {line}: {time:.2f} s, {time / pandas:.1f} times that")
    assert {line: time / pandas for line, time in found.items() if time > COMMANDS[line] * pandas} == {}
