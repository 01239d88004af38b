"""The words in which a run's end is told."""

import pytest

from headway.engines import ending
from headway.engines.folder import Intent, ShimRecord

RECORD = ShimRecord(sequence=4, phase="Ending", boot_id="b", shim_pid=1, shim_start=2)


@pytest.mark.parametrize(
    ("status", "out_of_memory", "code", "message"),
    [
        (0, False, None, ""),
        (1, False, "ExitCode", "the program exited with code 1"),
        (-9, False, "Signal", "signal 9 (SIGKILL), which Headway did not send"),
        (-9, True, "OutOfMemory", "because memory ran out"),
        (1, True, "ExitCode", "the program exited with code 1"),
        (-40, False, "Signal", "signal 40, which"),
        (None, False, "ShimLost", "was not seen"),
    ],
)
def test_of_program(
    status: int | None, out_of_memory: bool, code: str | None, message: str
) -> None:
    how = ending.of_program(status, out_of_memory=out_of_memory)
    assert how.error_code == code
    assert message in how.message
    assert how.outcome == ("Failed" if code else "Completed")


def test_an_intent_without_words_gets_some() -> None:
    assert ending.of_intent(Intent(outcome="Canceled", at=1, by="ann")).message == "canceled by ann"
    failed = ending.of_intent(Intent(outcome="Failed", at=1, by="ann"), 7)
    assert (failed.error_code, failed.message) == ("UserError", "failed by ann")
    assert (failed.exit_code, failed.signal) == (7, None)


def test_survivors_are_named() -> None:
    record = ending.final(RECORD, ending.of_program(0), [5, 6])
    assert (record.clean, record.survivors, record.sequence) == (False, [5, 6], 5)
    assert record.message == "could not be killed: pid 5, 6"
    assert record.ended
