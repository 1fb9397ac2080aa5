"""What the service tells Prometheus: every metric is declared here and named `perezvon_*`.

A metric holds no personal data: labels are connectors, routes and states, never numbers, names or ids.
"""

import contextlib
import time
from collections.abc import Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
"""Holds ours alone: a library's own metrics do not slip in."""
CONTENT_TYPE = CONTENT_TYPE_LATEST
"""Content type of what `render` gives."""

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

build_info = Info("perezvon_build", "Version of the service and its schema.", registry=REGISTRY)

ami_link_up = Gauge("perezvon_ami_link_up", "1 while logged in to the PBX.", ["connector"], registry=REGISTRY)
call_intake_seconds = Histogram(
    "perezvon_call_intake_seconds",
    "From an AMI event on the socket until its call is committed.",
    buckets=_FAST,
    registry=REGISTRY,
)
message_intake_seconds = Histogram(
    "perezvon_message_intake_seconds",
    "From the taking up of a stored update until its message is committed.",
    buckets=_FAST,
    registry=REGISTRY,
)
messages_sent_total = Counter(
    "perezvon_messages_sent_total",
    "Attempts to send a message that ended, by outcome: sent, failed, unknown.",
    ["connector", "outcome"],
    registry=REGISTRY,
)
facts_lag_seconds = Gauge(
    "perezvon_facts_lag_seconds", "Age of the newest fact when it reached the observers.", registry=REGISTRY
)
store_write_seconds = Histogram(
    "perezvon_store_write_seconds",
    "A unit of work, from its asking until its commit.",
    buckets=_FAST,
    registry=REGISTRY,
)
store_unavailable_total = Counter(
    "perezvon_store_unavailable_total",
    "Units of work refused by a database that was away.",
    registry=REGISTRY,
)
desks_connected = Gauge("perezvon_desks_connected", "Open event sockets.", registry=REGISTRY)
desk_frames_total = Counter("perezvon_desk_frames_total", "Frames sent to desks.", registry=REGISTRY)
desk_slow_closed_total = Counter(
    "perezvon_desk_slow_closed_total",
    "Event sockets closed with 4008 for reading too slowly.",
    registry=REGISTRY,
)
event_to_frame_seconds = Histogram(
    "perezvon_event_to_frame_seconds",
    "From a fact's arrival at the observers until its frame was handed to a desk's socket.",
    buckets=_FAST,
    registry=REGISTRY,
)
http_requests_total = Counter(
    "perezvon_http_requests_total",
    "Requests by route (its pattern) and status.",
    ["route", "status"],
    registry=REGISTRY,
)
http_request_seconds = Histogram(
    "perezvon_http_request_seconds",
    "Time to answer, without event sockets.",
    ["route"],
    buckets=_FAST,
    registry=REGISTRY,
)
recordings_total = Counter(
    "perezvon_recordings_total",
    "Recordings collected, made ready, tried again and given up.",
    ["outcome"],
    registry=REGISTRY,
)
recording_ready_seconds = Histogram(
    "perezvon_recording_ready_seconds",
    "From the end of a call until its recording can be played.",
    buckets=(1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400),
    registry=REGISTRY,
)
sign_ins_total = Counter(
    "perezvon_sign_ins_total", "Attempts to sign in, by outcome.", ["outcome"], registry=REGISTRY
)
ProcessCollector(namespace="perezvon", registry=REGISTRY)


@contextlib.contextmanager
def unit_of_work(unavailable: type[Exception]) -> Iterator[None]:
    """Measures a unit around which it stands; counts the errors that mean that the database was away."""
    began = time.perf_counter()
    try:
        yield
    except unavailable:
        store_unavailable_total.inc()
        raise
    store_write_seconds.observe(time.perf_counter() - began)


def render() -> bytes:
    """All metrics in Prometheus' text format, to be answered with `CONTENT_TYPE`."""
    return generate_latest(REGISTRY)
