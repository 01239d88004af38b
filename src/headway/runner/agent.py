"""The agent: tells a server what becomes of the runs of this machine, and has them heed it.

    python -P -m headway.runner.agent SPOOL [CLAIM_FD]

SPOOL is the folder of this machine for one workspace of a server; CLAIM_FD holds the lock by which
this process is its agent. There is one agent a spool, and only while a run of it lives or something
is left to be told. It may be killed at any time: what is in the folders is told by the next one.
"""

import os
import select
import sys
import time
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway.client.spool import Spool
from headway.client.workspace import RemoteWorkspace, open_remote
from headway.engines import agency
from headway.engines.queueing import QueuedLocalEngine, local_compute
from headway.errors import AccessError, HeadwayError
from headway.hosting.courier import Courier, undelivered
from headway.runner.telling import Teller
from headway.runner.upkeep import SpoolUpkeep, remove_old
from headway.settings import load_settings

_TICK_S: Final = 0.03
"""Between two glances at the folders of runs."""
_QUIET_TICK_S: Final = 0.1
"""Where nothing has changed for a while: what a log gains then waits a little longer."""
_QUIET_S: Final = 2.0
_REST_TICK_S: Final = 0.5
_LINGER_S: Final = 2.0
"""So long it waits for more runs when all is told."""
_PATIENCE_S: Final = 86400.0
"""So long it goes on trying when all runs have ended and the server takes nothing."""
_REFUSED_S: Final = 20.0
"""So long it waits, with a token that the server does not accept, for the user to get another."""
_SERVER_TIMEOUT_S: Final = 2.0


def main(path: str, claim_fd: int | None) -> int:
    """Tell what there is until nothing is left."""
    spool = Spool(Path(path))
    claim = agency.claim(spool.root) if claim_fd is None else claim_fd
    if claim is None:
        return 0
    if claim_fd is None:
        agency.sign(claim, os.getpid())
    else:
        os.set_inheritable(claim, False)
    settings = replace(load_settings(), server_timeout_s=_SERVER_TIMEOUT_S)
    target = spool.target()
    workspace = open_remote(target.url, target.workspace, spool.root, settings)
    engine = QueuedLocalEngine(local_compute(settings.home), settings.queue_tick_s)
    courier = Courier(workspace, spool.layout, engine, _now, workspace.metrics.drain)
    remove_old(spool.layout, time.time())
    while not _is_refused(workspace):
        bell = agency.listen(spool.root)
        told = _work(workspace, spool, courier, bell)
        os.close(bell)
        # Somebody may have begun a run and heard that there is an agent.
        if not told or not undelivered(spool.layout):
            break
    workspace.close()
    os.close(claim)
    return 0


def _is_refused(workspace: RemoteWorkspace) -> bool:
    """Whether the server does not accept the token. Then it is not asked again for a while."""
    try:
        workspace.info()
    except AccessError as error:
        _say(str(error))
        time.sleep(_REFUSED_S)
        return True
    except HeadwayError:
        return False  # it is away
    return False


def _work(workspace: RemoteWorkspace, spool: Spool, courier: Courier, bell: int) -> bool:
    """Until nothing is left to be told; False where the server does not take what is left."""
    poll = select.poll()
    poll.register(bell, select.POLLIN)
    teller = Teller(
        workspace.runners, spool.layout, courier, os.uname().nodename, workspace.bounded, _say
    )
    upkeep = SpoolUpkeep(workspace, spool, _say)
    live_at = changed_at = time.monotonic()
    active = True
    try:
        while True:
            tick_s = _REST_TICK_S if not teller.runs else _TICK_S if active else _QUIET_TICK_S
            if poll.poll(tick_s * 1000):
                os.read(bell, 4096)
                teller.look_for_runs()
            if teller.refused:
                return False  # the next one looks whether there is another token
            if teller.tell():
                changed_at = time.monotonic()
            active = time.monotonic() - changed_at < _QUIET_S
            if not upkeep.is_due():
                continue
            if not spool.root.exists():
                return False
            ended = teller.ended()
            upkeep.begin(finishing=bool(ended))
            now = time.monotonic()
            if len(teller.runs) > len(ended):
                live_at = now
            elif not teller.runs and now - live_at > _LINGER_S:
                return True
            elif now - live_at > _PATIENCE_S:
                _say("the server takes nothing; what is left is told by the next agent")
                return False
    finally:
        upkeep.close()
        teller.close()


def _now() -> int:
    return time.time_ns() // 1000


def _say(what: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    sys.stderr.write(f"{stamp} {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else None))
    except HeadwayError as error:
        _say(str(error))
        sys.exit(1)
