"""Single faults put into the program: none may give a page that is false for its reader.

A sample of `benchmarks/mutation.py`, which tells what is done.
"""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "mutation.py"
SEED, COUNT = "9", "42"


@pytest.mark.slow
def test_no_single_fault_escapes() -> None:
    command = [sys.executable, str(BENCHMARK), "--seed", SEED, "--count", COUNT, "--show", "escaped"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
