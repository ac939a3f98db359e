"""Metrics for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class Metrics:
    """The application's numbers, in a registry of their own."""

    def __init__(self) -> None:
        """Start from zero."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "http_requests_total", "Requests answered.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from a request's arrival to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.overloads = Counter(
            "database_overloads_total", "Requests refused as no connection became free.", registry=self._registry
        )
        self.tool_calls = Counter(
            "chat_tool_calls_total", "Tools run by the assistant.", ("tool", "outcome"), registry=self._registry
        )
        self.model_calls = Counter(
            "chat_model_calls_total", "Calls to the assistant.", ("assistant", "outcome"), registry=self._registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is the template, never a path with ids in it."""
        if method not in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"):
            method = "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """All numbers in Prometheus' text format."""
        return generate_latest(self._registry)
