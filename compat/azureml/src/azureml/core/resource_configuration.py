"""What a model needs where it is served; Headway serves none, and only keeps it."""

from dataclasses import dataclass


@dataclass
class ResourceConfiguration:
    """What a model needs, kept with it as it is shown."""

    cpu: float | None = None
    """Cores."""
    memory_in_gb: float | None = None
    gpu: int | None = None
    """GPUs."""
