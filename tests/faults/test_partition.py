"""A short cut of the line to the server; ``partition.py`` makes it a minute."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CUT = Path(__file__).parent / "partition.py"


@pytest.mark.slow
def test_a_loop_and_a_cancel_live_through_a_cut_line() -> None:
    done = subprocess.run(
        [sys.executable, str(CUT), "--seconds", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stderr.splitlines()[-1])
    assert told["points"] > 20
