"""Having a run that is executed on this machine end, as somebody wants it."""

from headway.engines.base import Engine
from headway.engines.folder import Intent, RunFolder
from headway.model import Status
from headway.runners import EndRequest


def obey(engine: Engine, folder: RunFolder, wanted: EndRequest) -> None:
    """Leave a durable intent in the run's folder, and wake whoever executes the run.

    Harmless any number of times; a later request may shorten the grace of the first.
    """
    intent = Intent(
        outcome="Canceled" if wanted.outcome is Status.CANCELED else "Failed",
        at=wanted.at,
        by=wanted.by,
        grace_s=wanted.grace_s,
        code=wanted.code,
        message=wanted.message,
    )
    if not folder.write_intent(intent) and wanted.grace_s is not None:
        folder.shorten_grace(wanted.grace_s)
    engine.cancel(folder)
