"""A job's counters for Prometheus, in its text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sagemaker_tensorflow.errors import InvalidArgumentError, UnavailableError
from sagemaker_tensorflow.transform.histogram import HistogramCounts
from sagemaker_tensorflow.transform.job_progress import JobProgress, ProgressSnapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_MOST_PORT = 65535


def render_metrics(now: ProgressSnapshot) -> str:
    """The exposition: a HELP and a TYPE line for each metric, then its values."""
    return "".join(f"{line}\n" for line in _lines(now))


def _lines(now: ProgressSnapshot) -> Iterator[str]:
    yield from _metric("seconds", "gauge", "Time since the job began.", {"": now.seconds})
    if now.objects is not None:
        yield from _metric("objects", "gauge", "Objects in the input.", {"": now.objects})
    ended = {"done": now.objects_done, "skipped": now.objects_skipped, "failed": now.objects_failed}
    yield from _metric(
        "objects_ended_total",
        "counter",
        "Objects with a result, with one of an earlier run, and without one.",
        {f'{{outcome="{outcome}"}}': count for outcome, count in ended.items()},
    )
    counters = (
        ("records_total", "Records with a result.", now.records),
        ("records_failed_total", "Records without a result.", now.records_failed),
        ("bytes_read_total", "Bytes of input read.", now.bytes_in),
        ("bytes_written_total", "Bytes of results written.", now.bytes_out),
        ("retries_total", "Calls of the model that were made again.", now.retries),
    )
    for name, help_text, value in counters:
        yield from _metric(name, "counter", help_text, {"": value})
    yield from _metric(
        "bytes_expected",
        "gauge",
        "Bytes of input that this run is to read.",
        {"": now.bytes_expected},
    )
    yield from _metric(
        "stage_seconds_total",
        "counter",
        "Time that threads spent in each stage.",
        {f'{{stage="{_escaped(name)}"}}': value for name, value in now.stage_seconds.items()},
    )
    yield from _histogram("batch_instances", "Instances per call of the model.", now.batch_sizes)
    yield from _histogram("batch_seconds", "Time per call of the model.", now.batch_seconds)


def _metric(name: str, kind: str, help_text: str, values: dict[str, float]) -> Iterator[str]:
    full = f"smtf_transform_{name}"
    yield f"# HELP {full} {help_text}"
    yield f"# TYPE {full} {kind}"
    for labels, value in values.items():
        yield f"{full}{labels} {value}"


def _histogram(name: str, help_text: str, counts: HistogramCounts) -> Iterator[str]:
    full = f"smtf_transform_{name}"
    yield f"# HELP {full} {help_text}"
    yield f"# TYPE {full} histogram"
    so_far = 0
    for bound, count in zip(counts.bounds, counts.counts, strict=False):
        so_far += count
        yield f'{full}_bucket{{le="{bound:g}"}} {so_far}'
    yield f'{full}_bucket{{le="+Inf"}} {counts.count}'
    yield f"{full}_sum {counts.total}"
    yield f"{full}_count {counts.count}"


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


class MetricsServer:
    """Answers ``GET /metrics`` as long as it is open. A context manager.

    Attributes:
        port: That it listens on.

    Args:
        progress: The job's counters.
        port: 0 for one that is free.
        host: The address to listen on; nobody is asked who they are.

    Raises:
        InvalidArgumentError: There is no such port.
        UnavailableError: It cannot be listened on.
    """

    def __init__(self, progress: JobProgress, port: int, host: str = "127.0.0.1") -> None:
        if not 0 <= port <= _MOST_PORT:
            raise InvalidArgumentError(f"metrics port {port}: give 0 to {_MOST_PORT}")
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(progress))
        except OSError as error:
            raise UnavailableError(
                f"metrics on {host}:{port}: {error.strerror or error}; choose another port, or 0 "
                "for a free one"
            ) from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="smtf-metrics", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops listening. Idempotent."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def _handler(progress: JobProgress) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds that a client may be silent

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404, "the metrics are at /metrics")
                return
            body = render_metrics(progress.snapshot()).encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Scrapes are no news."""

    return Handler
