"""Slots: how many there are, who has them, and what a program is told of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.engines.folder import RunFolder
from headway.engines.slots import UNLIMITED, Capacity, Kind, Need, Slot, Slots, variables
from headway.errors import InvalidValueError, StorageCorruptError

GPU_IDS = st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:/._-]{0,20}", fullmatch=True), unique=True)


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return Slots(tmp_path / "compute")


def names(free: dict[Kind, list[Slot]]) -> dict[Kind, list[str]]:
    return {kind: [slot.name for slot in taken] for kind, taken in free.items()}


def close(free: dict[Kind, list[Slot]]) -> None:
    for taken in free.values():
        for slot in taken:
            os.close(slot.fd)


def test_without_a_file_nothing_is_limited(slots: Slots) -> None:
    assert slots.read() == UNLIMITED
    assert slots.states() == []
    assert UNLIMITED.limits(Need(cpus=500, gpus=500)) == frozenset()


@given(cpus=st.none() | st.integers(0, 4096), gpus=st.none() | GPU_IDS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, cpus: int | None, gpus: list[str] | None
) -> None:
    slots = Slots(tmp_path_factory.mktemp("compute"))
    capacity = Capacity(cpus=cpus, gpus=None if gpus is None else tuple(gpus))
    slots.write(capacity)
    assert slots.read() == capacity


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"cpus": "2", "gpus": null}',
        '{"cpus": -1, "gpus": null}',
        '{"cpus": 2, "gpus": "0,1"}',
        '{"cpus": 2, "gpus": [0]}',
        '{"cpus": 2, "gpus": ["0", "0"]}',
        '{"cpus": 2, "gpus": ["../../etc"]}',
    ],
)
def test_a_damaged_file_is_an_error_that_says_what_to_do(slots: Slots, text: str) -> None:
    slots.root.mkdir()
    slots.file.write_text(text)
    with pytest.raises(StorageCorruptError, match=r"slots\.json.*headway compute set local"):
        slots.read()
    slots.write(UNLIMITED)
    assert slots.read() == UNLIMITED


@pytest.mark.parametrize("gpu", ["", "-1", "a b", "0,1", "../x", "ü"])
def test_what_is_no_gpu_is_refused(gpu: str) -> None:
    with pytest.raises(InvalidValueError, match="names no GPU"):
        Capacity(gpus=(gpu,))


def test_a_taken_slot_is_taken_for_everybody_until_it_is_closed(slots: Slots) -> None:
    capacity = Capacity(cpus=2, gpus=("3", "MIG-GPU-a/1/0"))
    slots.write(capacity)
    free = slots.take_free(capacity)
    assert names(free) == {"cpu": ["0", "1"], "gpu": ["3", "MIG-GPU-a/1/0"]}
    slots.hand_over(free["gpu"][1], RunFolder(slots.root / "a-run"))
    assert names(slots.take_free(capacity)) == {"cpu": [], "gpu": []}
    assert [state.holder for state in slots.states()][-1] == slots.root / "a-run"
    close(free)
    assert [state.holder for state in slots.states()] == [None] * 4
    again = slots.take_free(capacity)
    assert names(again) == names(free)
    close(again)


def test_a_process_that_inherited_a_slot_keeps_it(slots: Slots) -> None:
    capacity = Capacity(cpus=1)
    free = slots.take_free(capacity)
    [slot] = free["cpu"]
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1, pass_fds=[slot.fd])
    close(free)
    assert names(slots.take_free(capacity))["cpu"] == []
    child.kill()
    child.communicate()
    again = slots.take_free(capacity)
    assert names(again)["cpu"] == ["0"]
    close(again)


def test_fewer_cpus_count_those_that_are_still_taken(slots: Slots) -> None:
    free = slots.take_free(Capacity(cpus=4))
    os.close(free["cpu"].pop(0).fd)  # 0 is free again; 1, 2 and 3 go on
    assert names(slots.take_free(Capacity(cpus=2)))["cpu"] == []
    close({"cpu": free["cpu"][1:]})
    again = slots.take_free(Capacity(cpus=2))
    assert names(again)["cpu"] == ["0"]
    close({"cpu": [*again["cpu"], free["cpu"][0]]})


def test_a_program_is_told_its_gpus_and_cpus() -> None:
    taken = [Slot("cpu", "0", -1), Slot("gpu", "2", -1), Slot("gpu", "GPU-7f", -1)]
    capacity = Capacity(cpus=8, gpus=("2", "GPU-7f"))
    told = variables(taken, capacity, Need(cpus=3, gpus=2), {"CUDA_VISIBLE_DEVICES": "9", "A": "1"})
    assert told == {
        "A": "1",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": "2,GPU-7f",
        "HIP_VISIBLE_DEVICES": "2,GPU-7f",
        "ROCR_VISIBLE_DEVICES": "2,GPU-7f",
        "OMP_NUM_THREADS": "3",
    }


def test_a_program_without_a_gpu_sees_none() -> None:
    assert variables([], Capacity(gpus=("0",)), Need(), {})["CUDA_VISIBLE_DEVICES"] == ""


def test_a_program_is_told_nothing_of_what_is_not_limited() -> None:
    assert variables([], UNLIMITED, Need(gpus=2), {"A": "1"}) == {"A": "1"}


def test_the_number_of_threads_that_a_user_chose_stays() -> None:
    told = variables([], Capacity(cpus=4), Need(cpus=4), {"OMP_NUM_THREADS": "1"})
    assert told["OMP_NUM_THREADS"] == "1"


def test_needs_and_slots_in_words() -> None:
    assert Need(cpus=1, gpus=2).words() == "1 CPU and 2 GPUs"
    assert Need(cpus=0, gpus=0).words() == "nothing"
    capacity = Capacity(cpus=1, gpus=("0", "1"))
    assert capacity.words() == "1 CPU slot and 2 GPU slots (0, 1)"
    assert capacity.beyond(Need(cpus=2, gpus=2)) == {"cpu"}
