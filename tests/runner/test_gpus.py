"""What is asked of NVML, by a stand-in for its module."""

from types import SimpleNamespace
from typing import Any

import pytest

from headway.runner import gpus
from headway.runner.gpus import Gpus


class NoGpuError(Exception):
    pass


class FakeNvml:
    """Three GPUs, of which the last fails."""

    NVMLError: type[Exception] = NoGpuError

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int, /) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetUUID(self, handle: int, /) -> bytes:  # noqa: N802
        return f"GPU-{'abc'[handle]}1234".encode()

    def nvmlDeviceGetUtilizationRates(self, handle: int, /) -> Any:  # noqa: N802
        if handle == 2:
            raise NoGpuError
        return SimpleNamespace(gpu=10 + handle)

    def nvmlDeviceGetMemoryInfo(self, handle: int, /) -> Any:  # noqa: N802
        return SimpleNamespace(used=1000 + handle)


FIRST = {"gpu0_percent": 10, "gpu0_memory_bytes": 1000}
SECOND = {"gpu1_percent": 11, "gpu1_memory_bytes": 1001}


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, FIRST | SECOND),
        ("", {}),
        ("1", SECOND),
        ("1,0", FIRST | SECOND),
        ("GPU-b", SECOND),
        ("0, GPU-b1234", FIRST | SECOND),
        ("-1", {}),
        ("0,-1,1", FIRST),
        ("7", {}),
    ],
)
def test_the_gpus_that_a_program_sees_are_measured(
    visible: str | None, found: dict[str, int]
) -> None:
    assert Gpus(FakeNvml(), visible).read() == found


def test_without_a_gpu_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_DEVICES", ("/no/such/device",))
    assert gpus.open_gpus(None) is None


def test_without_the_package_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "_DEVICES", ("/dev/null",))
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    assert gpus.open_gpus(None) is None


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NoGpuError

    broken = FakeNvml()
    monkeypatch.setattr(broken, "nvmlInit", fail)
    monkeypatch.setattr(gpus, "_DEVICES", ("/dev/null",))
    monkeypatch.setitem(__import__("sys").modules, "pynvml", broken)
    assert gpus.open_gpus(None) is None
