"""Slots of this machine, CPUs, GPUs and nodes: how many there are, and which are taken.

    slots.json      how many CPUs and GPUs there are; absent where there is no limit
    slots/cpu-0     an flock held by whatever has the slot; the folder of the run that had it last
    slots/gpu-0     the same for a GPU, by its index or UUID
    slots/node-cpu-cluster-0    the same for a node of a compute target with a name of its own

The descriptor of a slot's flock is inherited by all that a run starts, so that a slot stays taken
while an orphan of a killed run still uses it. Only the dispatcher takes slots. Standard library
only.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from headway.engines import document, processes
from headway.engines.folder import RunFolder
from headway.engines.recovery import recover
from headway.engines.targets import Targets
from headway.errors import InvalidValueError, StorageCorruptError, StorageError
from headway.locks import is_held, try_lock

Kind = str
"""``cpu``, ``gpu``, or ``node-`` and the name of a compute target."""
KINDS: Final[tuple[Kind, ...]] = ("cpu", "gpu")
"""The kinds that every run asks for."""
MOST_CPUS: Final = 4096

_WORDS: Final[dict[Kind, str]] = {"cpu": "CPU", "gpu": "GPU"}
_NODE: Final = "node-"
_GPU: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/._-]*")


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a run asks for."""

    cpus: int = 1
    gpus: int = 0
    target: str = ""
    """The compute target of which a node is needed as well; empty for none."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it may ask for, in the order in which it is said."""
        return (*KINDS, _node_of(self.target)) if self.target else KINDS

    def of(self, kind: Kind) -> int:
        """How many of one kind."""
        return {"cpu": self.cpus, "gpu": self.gpus}.get(kind, 1)

    def words(self, kinds: Iterable[Kind] = KINDS) -> str:
        """As people say it, such as ``1 CPU and 2 GPUs``."""
        wanted = [kind for kind in self.kinds if kind in kinds and self.of(kind)]
        return " and ".join(_count(self.of(kind), kind) for kind in wanted) or "nothing"


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How many slots there are. None for a kind that is not limited."""

    cpus: int | None = None
    gpus: tuple[str, ...] | None = None
    """Index or UUID of each, as CUDA_VISIBLE_DEVICES takes it."""
    nodes: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many there are of each compute target that has a name of its own."""

    def __post_init__(self) -> None:
        if self.cpus is not None and not 0 <= self.cpus <= MOST_CPUS:
            raise InvalidValueError(
                f"{self.cpus} CPU slots were given: accepted are 0 to {MOST_CPUS}"
            )
        for gpu in self.gpus or ():
            if not _GPU.fullmatch(gpu):
                raise InvalidValueError(
                    f"{gpu!r} names no GPU: give its index or UUID, as 'nvidia-smi -L' shows them"
                )
        if self.gpus is not None and len(set(self.gpus)) < len(self.gpus):
            raise InvalidValueError(
                f"the GPUs {', '.join(self.gpus)} are not all different: give each once"
            )

    def slots(self, kind: Kind) -> tuple[str, ...] | None:
        """The names of the slots of one kind; None where they are not limited."""
        if kind == "gpu":
            return self.gpus
        count = self.cpus if kind == "cpu" else self.nodes.get(_target_of(kind))
        return None if count is None else tuple(map(str, range(count)))

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Every kind of slot, limited or not."""
        return (*KINDS, *map(_node_of, self.nodes))

    def limits(self, need: Need) -> frozenset[Kind]:
        """The kinds of slots that a run has to wait for."""
        return frozenset(k for k in need.kinds if need.of(k) > 0 and self.slots(k) is not None)

    def beyond(self, need: Need) -> frozenset[Kind]:
        """The kinds of which more are asked for than there are."""
        return frozenset(k for k in self.limits(need) if need.of(k) > len(self.slots(k) or ()))

    def words(self, kinds: Iterable[Kind] = KINDS) -> str:
        """As people say it, such as ``2 CPU slots and 1 GPU slot (0)``."""
        return " and ".join(self._words(kind) for kind in self.kinds if kind in kinds)

    def _words(self, kind: Kind) -> str:
        names = self.slots(kind)
        if names is None:
            return f"{_WORDS[kind]}s without a limit"
        if kind not in KINDS:
            return f"{_count(len(names), kind)} of {_target_of(kind)!r}"
        text = f"{len(names)} {_WORDS[kind]} slot{'' if len(names) == 1 else 's'}"
        return f"{text} ({', '.join(names)})" if kind == "gpu" and names else text


UNLIMITED: Final = Capacity()


@dataclass(frozen=True)
class Slot:
    """A slot that this process has taken."""

    kind: Kind
    name: str
    fd: int


@dataclass(frozen=True)
class SlotState:
    """A slot as it was seen from outside."""

    kind: Kind
    name: str
    holder: Path | None
    """The folder of the run that has it; None where it is free."""


@dataclass(frozen=True)
class Assignment:
    """What a run is started with when it comes from the queue."""

    queue: Path
    slots: tuple[Slot, ...]
    environment: Mapping[str, str]
    """The whole environment of the program: its submitter's, with what says which slots it has."""


class Slots:
    """The slots below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.file = root / "slots.json"
        self._targets = Targets(root)
        self._folder = root / "slots"

    def read(self) -> Capacity:
        """How many there are.

        Raises:
            StorageCorruptError: The file is damaged.
        """
        try:
            return self._read()
        except (StorageCorruptError, InvalidValueError) as error:
            raise StorageCorruptError(
                f"the slots of this machine cannot be read from {self.file}: {error.message}; "
                "correct it, or do without slots with 'headway compute set local --unlimited'"
            ) from error

    def _read(self) -> Capacity:
        nodes = {name: target.nodes for name, target in self._targets.read().items()}
        fields = document.read(self.file)
        if fields is None:
            return Capacity(nodes=nodes)
        gpus = fields.texts_or_none("gpus")
        return Capacity(
            cpus=fields.whole_or_none("cpus"),
            gpus=None if gpus is None else tuple(gpus),
            nodes=nodes,
        )

    def write(self, capacity: Capacity) -> None:
        """Set how many CPUs and GPUs there are, from the next run on that is started."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if capacity.cpus is None and capacity.gpus is None:
                self.file.unlink(missing_ok=True)
                return
        except OSError as error:
            raise document.storage_error(self.file, error) from error
        gpus = None if capacity.gpus is None else list(capacity.gpus)
        document.replace(self.file, {"cpus": capacity.cpus, "gpus": gpus}, durable=True)

    # ------------------------------------------------------------ for the dispatcher
    def take_free(self, capacity: Capacity) -> dict[Kind, list[Slot]]:
        """Take every slot that nobody has; what is not used is to be closed."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        free: dict[Kind, list[Slot]] = {
            kind: self._take(kind, capacity.slots(kind) or ()) for kind in capacity.kinds
        }
        # CPUs and nodes are all alike: while runs go on that began when there were more, fewer
        # are free.
        for kind in free.keys() - {"gpu"}:
            left = max(0, len(free[kind]) - self._taken_beyond(kind, capacity))
            for slot in free[kind][left:]:
                os.close(slot.fd)
            del free[kind][left:]
        return free

    def _take(self, kind: Kind, names: Iterable[str]) -> list[Slot]:
        return [Slot(kind, n, fd) for n in names if (fd := self._take_one(kind, n)) is not None]

    def _take_one(self, kind: Kind, name: str) -> int | None:
        path = self._path(kind, name)
        holder = _holder(path)
        survivors = _ended_with_survivors(holder) if holder is not None else False
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not survivors and try_lock(fd):
            return fd
        os.close(fd)
        return None

    def _taken_beyond(self, kind: Kind, capacity: Capacity) -> int:
        """How many slots of a kind are taken that there are no more."""
        names = capacity.slots(kind)
        if names is None:
            return 0
        begin = len(kind) + 1
        numbers = [path.name[begin:] for path in self._folder.glob(f"{kind}-*")]
        gone = [number for number in numbers if number.isdecimal() and number not in names]
        return sum(self._is_taken(kind, number) for number in gone)

    def hand_over(self, slot: Slot, folder: RunFolder) -> None:
        """Note whose the slot is from now on."""
        content = os.fsencode(folder.path)
        os.ftruncate(slot.fd, 0)
        os.pwrite(slot.fd, content, 0)

    # ------------------------------------------------------------ for everybody
    def states(self) -> list[SlotState]:
        """Every slot there is, and who has it."""
        capacity = self.read()
        return [
            SlotState(kind, name, self._seen_holder(kind, name))
            for kind in capacity.kinds
            for name in capacity.slots(kind) or ()
        ]

    def _seen_holder(self, kind: Kind, name: str) -> Path | None:
        if not self._is_taken(kind, name):
            return None
        holder = _holder(self._path(kind, name))
        return Path("?") if holder is None else holder.path

    def _is_taken(self, kind: Kind, name: str) -> bool:
        return is_held(self._path(kind, name))

    def _path(self, kind: Kind, name: str) -> Path:
        return self._folder / f"{kind}-{name.replace('/', '~')}"


def variables(
    slots: Iterable[Slot], capacity: Capacity, need: Need, environment: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a program with what tells it which slots it has."""
    told = dict(environment)
    if capacity.gpus is not None:
        visible = ",".join(slot.name for slot in slots if slot.kind == "gpu")
        told["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        for name in ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"):
            told[name] = visible
    if capacity.cpus is not None and need.cpus > 0:
        told.setdefault("OMP_NUM_THREADS", str(need.cpus))
    return told


def _count(number: int, kind: Kind) -> str:
    plural = "" if number == 1 else "s"
    if kind in KINDS:
        return f"{number} {_WORDS[kind]}{plural}"
    return f"{number} node{plural}"


def _node_of(target: str) -> Kind:
    return f"{_NODE}{target}"


def _target_of(kind: Kind) -> str:
    return kind.removeprefix(_NODE)


def _holder(path: Path) -> RunFolder | None:
    """The run that had the slot last."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    return RunFolder(Path(os.fsdecode(content))) if content else None


def _ended_with_survivors(folder: RunFolder) -> bool:
    """Whether a process is left of the run that had a slot last, which nothing can kill.

    If its shim was killed, what that left behind is ended first. So a slot is given away when
    nothing uses it any more, also where a program had closed the slot's descriptor.
    """
    try:
        record = folder.read_state()
        if record is not None and not record.ended and not folder.alive():
            record = recover(folder)
    except StorageError:
        return False  # its folder is gone or damaged; the flock alone counts
    if record is None or record.boot_id != processes.boot_id():
        return False
    return any(processes.status_of(pid) is not None for pid in record.survivors)
