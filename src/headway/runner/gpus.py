"""What the NVIDIA GPUs of this host do, through NVML, where nvidia-ml-py is installed."""

import importlib
import os
from collections.abc import Sequence
from typing import Any, Final, Protocol, cast

_DEVICES: Final = ("/dev/nvidiactl", "/dev/dxg")
"""One of them is there where a GPU is; nothing is loaded otherwise."""


class _Rates(Protocol):
    gpu: int


class _Memory(Protocol):
    used: int


class Nvml(Protocol):
    """The few functions of the module ``pynvml`` that are used."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...  # noqa: D102, N802 - NVML's own name
    def nvmlDeviceGetCount(self) -> int: ...  # noqa: D102, N802 - NVML's own name
    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> Any: ...  # noqa: ANN401, D102, N802 - NVML's own name and type
    def nvmlDeviceGetUUID(self, handle: Any, /) -> str | bytes: ...  # noqa: ANN401, D102, N802 - NVML's own name and type
    def nvmlDeviceGetUtilizationRates(self, handle: Any, /) -> _Rates: ...  # noqa: ANN401, D102, N802 - NVML's own name and type
    def nvmlDeviceGetMemoryInfo(self, handle: Any, /) -> _Memory: ...  # noqa: ANN401, D102, N802 - NVML's own name and type


class Gpus:
    """The GPUs that a program may use.

    Args:
        nvml: The module.
        visible: What ``CUDA_VISIBLE_DEVICES`` says to the program; None where it is not set.

    Raises:
        Exception: NVML's own error, where there is no driver to talk to.
    """

    def __init__(self, nvml: Nvml, visible: str | None = None) -> None:
        self._nvml = nvml
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        names = [_text(nvml.nvmlDeviceGetUUID(handle)) for handle in handles]
        self._handles = {index: handles[index] for index in _visible(visible, names)}

    def read(self) -> dict[str, int]:
        """Utilisation in percent and used memory of each, by the name of the metric."""
        found: dict[str, int] = {}
        for index, handle in self._handles.items():
            try:
                found[f"gpu{index}_percent"] = self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu
                memory = self._nvml.nvmlDeviceGetMemoryInfo(handle).used
                found[f"gpu{index}_memory_bytes"] = memory
            except self._nvml.NVMLError:
                continue  # one that does not tell, or has fallen off the bus
        return found


def open_gpus(visible: str | None) -> Gpus | None:
    """The GPUs of this host; None where there is none, or nothing to ask it with."""
    if not any(map(os.path.exists, _DEVICES)):
        return None
    try:
        nvml = cast("Nvml", importlib.import_module("pynvml"))
    except ImportError:
        return None
    try:
        return Gpus(nvml, visible)
    except nvml.NVMLError:
        return None


def _visible(given: str | None, names: Sequence[str]) -> list[int]:
    """The numbers of the GPUs that CUDA shows to a program, in the order of the host."""
    if given is None:
        return list(range(len(names)))
    found: set[int] = set()
    for word in (word.strip() for word in given.split(",")):
        matching = {i for i, name in enumerate(names) if word and name.startswith(word)}
        if word.isdecimal() and int(word) < len(names):
            matching = {int(word)}
        if not matching:  # CUDA itself stops reading here
            break
        found |= matching
    return sorted(found)


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
