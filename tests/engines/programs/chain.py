"""A chain of processes, each of which forks the next and exits, in a session of its own.

The first process forks the chain and stays. Every link adds a byte to a file, ``beats``.
"""

import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(sys.argv[1])
PAUSE_S = float(sys.argv[2])

signal.signal(signal.SIGTERM, signal.SIG_IGN)
give_up_at = time.monotonic() + 20
if os.fork():
    time.sleep(60)
beats = os.open(HERE / "beats", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
while time.monotonic() < give_up_at:
    if os.fork():
        os._exit(0)
    os.setsid()
    os.write(beats, b".")
    if PAUSE_S:
        time.sleep(PAUSE_S)
