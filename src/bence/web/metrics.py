"""Counts and times of requests, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REQUESTS = Counter("bence_requests", "Requests answered", ["method", "path", "status"])
SECONDS = Histogram(
    "bence_request_seconds", "Time to the answer", ["method", "path"], buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
)


def note(method: str, path: str, status: int, seconds: float) -> None:
    """Count one request."""
    REQUESTS.labels(method, path, str(status)).inc()
    SECONDS.labels(method, path).observe(seconds)
