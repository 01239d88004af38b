"""What Prometheus is told of a server process."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

_BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Counters:
    """Of one application: each has a registry of its own."""

    media_type: Final = CONTENT_TYPE_PLAIN_0_0_4

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "headway_requests",
            "Requests answered.",
            ["operation", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "headway_request_seconds",
            "Time to answer a request, waiting that it asked for included.",
            ["operation"],
            buckets=_BOUNDS_S,
            registry=self._registry,
        )
        self._bytes = Counter(
            "headway_request_body_bytes",
            "Bytes of request bodies taken in.",
            ["operation"],
            registry=self._registry,
        )
        self._active = Gauge(
            "headway_requests_active", "Requests being answered.", registry=self._registry
        )

    def begin(self) -> None:
        """A request has arrived."""
        self._active.inc()

    def end(self, operation: str, status: int, seconds: float, body_bytes: int) -> None:
        """It has been answered."""
        name = operation or "none"
        self._active.dec()
        self._requests.labels(name, str(status)).inc()
        self._seconds.labels(name).observe(seconds)
        if body_bytes:
            self._bytes.labels(name).inc(body_bytes)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
