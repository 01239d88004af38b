"""Names that stand for this machine, each with a number of nodes."""

import os
from pathlib import Path

import pytest

from headway.engines.slots import Capacity, Slots
from headway.engines.targets import Target, Targets
from headway.errors import InvalidValueError, StorageCorruptError


@pytest.fixture
def targets(tmp_path: Path) -> Targets:
    return Targets(tmp_path / "compute")


def test_what_is_written_is_read_until_it_is_removed(targets: Targets) -> None:
    assert targets.read() == {}
    targets.write("gpu-cluster", Target(nodes=2, vm_size="STANDARD_NC6"))
    targets.write("cpu-cluster", Target(nodes=4))
    targets.write("cpu-cluster", Target(nodes=5))
    assert targets.read() == {
        "cpu-cluster": Target(nodes=5),
        "gpu-cluster": Target(nodes=2, vm_size="STANDARD_NC6"),
    }
    targets.remove("cpu-cluster")
    targets.remove("cpu-cluster")
    assert [*targets.read()] == ["gpu-cluster"]


@pytest.mark.parametrize("name", ["", "local", "sdk", "1st", "a/b", "../x", "a.b", "a" * 65, "ü"])
def test_what_is_no_name_is_refused(targets: Targets, name: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be named"):
        targets.write(name, Target(nodes=1))


@pytest.mark.parametrize("nodes", [0, -1, 5000])
def test_what_is_no_number_of_nodes_is_refused(nodes: int) -> None:
    with pytest.raises(InvalidValueError, match="1 to 4096"):
        Target(nodes=nodes)


def test_damage_is_told_to_whoever_asks_for_slots(tmp_path: Path, targets: Targets) -> None:
    targets.write("a", Target(nodes=1))
    (tmp_path / "compute" / "targets" / "a.json").write_text('{"nodes": "1"}')
    with pytest.raises(StorageCorruptError, match="nodes is '1'"):
        Slots(tmp_path / "compute").read()


def test_fewer_nodes_count_those_that_are_still_taken(tmp_path: Path, targets: Targets) -> None:
    targets.write("a", Target(nodes=3))
    slots = Slots(tmp_path / "compute")
    free = slots.take_free(slots.read())
    os.close(free["node-a"].pop(0).fd)  # 0 is free again; 1 and 2 go on
    targets.write("a", Target(nodes=2))
    assert slots.take_free(slots.read())["node-a"] == []
    for slot in free["node-a"]:
        os.close(slot.fd)


def test_slots_of_a_machine_are_set_beside_its_targets(tmp_path: Path, targets: Targets) -> None:
    targets.write("a", Target(nodes=1))
    slots = Slots(tmp_path / "compute")
    slots.write(Capacity(cpus=2))
    assert slots.read() == Capacity(cpus=2, nodes={"a": 1})
    slots.write(Capacity())
    assert slots.read() == Capacity(nodes={"a": 1})
