"""A few of the random kills; ``random_kills.py`` is the whole storm."""

import json
import subprocess
import sys
from pathlib import Path

STORM = Path(__file__).parent / "random_kills.py"
KILLS = 10


def test_after_random_kills_every_run_has_ended_and_nothing_is_lost() -> None:
    command = [sys.executable, str(STORM), "--kills", str(KILLS), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=28)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    figures = json.loads(done.stdout)
    assert figures["problems"] == []
    assert figures["kills"] == KILLS
    assert figures["points acknowledged"] > 0
    assert figures["lines acknowledged"] > 0
