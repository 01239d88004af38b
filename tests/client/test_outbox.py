"""Ends and files of runs that wait on this machine."""

import threading
from pathlib import Path

import pytest

from headway.client.outbox import EndParcel, FileParcel, Outbox
from headway.errors import StorageCorruptError, StorageError
from headway.model import RunError, Status


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    folder = tmp_path / "outbox"
    folder.mkdir()
    return Outbox(folder)


END = EndParcel("r", Status.FAILED, 17, RunError("UserError", "no\nluck"), "why")


def test_parcels_come_back_as_they_were_in_their_order(outbox: Outbox, tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(b"weights")
    file = outbox.put_file("r", "outputs/model.bin", source)
    end = outbox.put(END)
    source.write_bytes(b"other weights")
    assert list(outbox) == [(file, FileParcel("r", "outputs/model.bin", 7)), (end, END)]
    assert outbox.content(file).read_bytes() == b"weights"


def test_what_was_sent_is_gone_with_its_bytes(outbox: Outbox, tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"1")
    name = outbox.put_file("r", "x", source)
    outbox.remove(name)
    outbox.remove(name)
    outbox.remove("")
    assert list(outbox) == []
    assert not outbox.content(name).exists()


def test_what_is_refused_is_put_aside_and_counted(outbox: Outbox) -> None:
    outbox.refuse(outbox.put(END))
    assert list(outbox) == []
    assert outbox.refused() == 1


def test_a_file_that_is_not_there_leaves_nothing(outbox: Outbox, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        outbox.put_file("r", "x", tmp_path / "absent")
    assert list(outbox) == []


def test_a_damaged_parcel_is_named(outbox: Outbox, tmp_path: Path) -> None:
    (tmp_path / "outbox" / "1.json").write_bytes(b"{")
    with pytest.raises(StorageCorruptError, match=r"1\.json"):
        list(outbox)


def test_those_who_send_take_turns(outbox: Outbox) -> None:
    order: list[str] = []

    def wait_for_turn() -> None:
        with outbox.turn(wait=True) as held:
            assert held
            order.append("second")

    with outbox.turn(wait=False) as held:
        assert held
        with outbox.turn(wait=False) as other:
            assert not other
        thread = threading.Thread(target=wait_for_turn)
        thread.start()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
