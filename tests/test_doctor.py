"""The doctor's judgements, and those of its trials that do not need the engine."""

from __future__ import annotations

import datetime
import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sagemaker_tensorflow.doctor.aws_setup import (
    Identity,
    check_certificates,
    check_proxies,
    check_region,
    find_identity,
    judge_identity,
)
from sagemaker_tensorflow.doctor.bucket import BucketTrial
from sagemaker_tensorflow.doctor.check import Check, ok, problem
from sagemaker_tensorflow.doctor.dataset_op import OpTrial
from sagemaker_tensorflow.doctor.endpoint import check_endpoint, judge_clock
from sagemaker_tensorflow.doctor.examination import _section
from sagemaker_tensorflow.doctor.machine import check_machine, judge_memory
from sagemaker_tensorflow.doctor.pipe_drain import PipeDrain
from sagemaker_tensorflow.doctor.pipes import check_pipes, judge_pipes
from sagemaker_tensorflow.doctor.rate import Stream, judge_stream
from sagemaker_tensorflow.doctor.time_limit import within
from sagemaker_tensorflow.doctor.units import binary_size, duration, plural
from sagemaker_tensorflow.errors import DeadlineExceededError, PermissionDeniedError
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.s3_session import S3Session
from tests.conftest import ACCESS_KEY, SECRET_KEY
from tests.pipes import wait_until

MIB = 1 << 20
NOW = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)


def test_a_check_is_one_line_without_passwords() -> None:
    check = problem("proxy", "http://me:p@ss\nword@host/\x1b[1m", "use https://you:secret@other:1/")
    assert "\n" not in check.found
    assert "\x1b" not in check.found
    assert check.advice == "use https://***@other:1/"
    assert ok("proxy", "http://user:pass@proxy:3128").found == "http://***@proxy:3128"


def test_units() -> None:
    sizes = [0, 1000, 65536, 8 * MIB, 1536 * MIB, 5 << 40]
    assert [binary_size(n) for n in sizes] == [
        "0 B",
        "1000 B",
        "64 KiB",
        "8 MiB",
        "1.5 GiB",
        "5 TiB",
    ]
    times = [0.00042, 0.0035, 0.0351, 0.99, 12.34]
    assert [duration(t) for t in times] == ["0.42 ms", "3.5 ms", "35 ms", "990 ms", "12.3 s"]
    assert [plural(n, "key") for n in (0, 1, 2)] == ["0 keys", "1 key", "2 keys"]


def test_a_call_within_its_time() -> None:
    assert within(60, "adding", lambda: 1 + 1) == 2
    with pytest.raises(ZeroDivisionError):
        within(60, "dividing", lambda: 1 / 0)
    release = threading.Event()
    with pytest.raises(DeadlineExceededError, match="sleeping: no answer within 0 s"):
        within(0.05, "sleeping", release.wait)
    release.set()


def test_memory() -> None:
    budget = 512 * MIB
    assert judge_memory(8192 * MIB, 4096 * MIB, None, budget).status == "ok"
    assert judge_memory(8192 * MIB, 600 * MIB, None, budget).status == "warning"
    contained = judge_memory(8192 * MIB, 4096 * MIB, 800 * MIB, budget)
    assert contained.status == "warning"
    assert "container's limit is 800 MiB" in contained.found
    assert "container" not in judge_memory(8192 * MIB, 4096 * MIB, 1 << 62, budget).found


def test_pipes() -> None:
    assert judge_pipes(MIB, MIB, 16384).status == "ok"
    assert judge_pipes(4 * MIB, 4 * MIB, 0).status == "ok"
    small_limit = judge_pipes(65536, 65536, 16384)
    assert small_limit.status == "warning"
    assert f"fs.pipe-max-size={MIB}" in small_limit.advice
    used_up = judge_pipes(4096, MIB, 16384)
    assert used_up.status == "warning"
    assert "pipe-user-pages-soft" in used_up.advice


def test_this_machine() -> None:
    names = [check.name for check in [*check_machine(), check_pipes()]]
    assert names == ["cores", "memory", "temporary", "open files", "pipes"]
    pipes = check_pipes()
    assert pipes.numbers["pipe_bytes"] >= 4096


def test_a_temporary_directory_without_pipes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    temporary = next(check for check in check_machine() if check.name == "temporary")
    assert temporary.status == "problem"
    assert "TMPDIR" in temporary.advice


@pytest.mark.parametrize(
    ("skew", "status"),
    [(0.4, "ok"), (-30.0, "ok"), (90.0, "warning"), (-901.0, "problem"), (None, "skipped")],
)
def test_clock(skew: float | None, status: str) -> None:
    assert judge_clock(skew).status == status


def identity(expiry: datetime.timedelta | None, temporary: bool = True) -> Identity:
    return Identity("WXYZ", "sso", "'default'", temporary, expiry and NOW + expiry)


def test_credentials_that_end() -> None:
    assert judge_identity(identity(None, temporary=False), NOW).status == "ok"
    assert "end unknown" in judge_identity(identity(None), NOW).found
    assert judge_identity(identity(datetime.timedelta(hours=1)), NOW).status == "ok"
    assert judge_identity(identity(datetime.timedelta(minutes=5)), NOW).status == "warning"
    assert judge_identity(identity(datetime.timedelta(minutes=-5)), NOW).status == "problem"


def test_credentials_of_the_environment(aws: str) -> None:
    found = find_identity(S3Options())
    assert found == Identity(ACCESS_KEY[-4:], "env", "'default'", False, None)
    assert SECRET_KEY not in repr(found)
    assert ACCESS_KEY not in judge_identity(found, NOW).found


def test_credentials_that_ended(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
    with pytest.raises(PermissionDeniedError, match="expired"):
        find_identity(S3Options())


def test_no_credentials(clean_aws: None) -> None:
    assert find_identity(S3Options()) is None


def test_region_and_its_origin(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_region(S3Options(region="eu-west-3"), "eu-west-3").found == "eu-west-3 (--region)"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    ignored = check_region(S3Options(), "aws-global")
    assert ignored.status == "warning"
    assert "AWS_DEFAULT_REGION" in ignored.advice
    Path(os.environ["AWS_CONFIG_FILE"]).write_text("[profile p]\nregion = sa-east-1\n")
    monkeypatch.setenv("AWS_PROFILE", "p")
    assert "profile 'p' (AWS_PROFILE)" in check_region(S3Options(), "sa-east-1").found
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert "AWS_DEFAULT_REGION" in check_region(S3Options(), "us-west-2").found


def test_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert check_certificates("http://host", "/x.pem").status == "skipped"
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "x.pem"))
    missing = check_certificates("https://host", str(tmp_path / "x.pem"))
    assert (missing.status, missing.advice) == ("problem", "correct AWS_CA_BUNDLE")
    (tmp_path / "x.pem").touch()
    assert check_certificates("https://host", str(tmp_path / "x.pem")).status == "ok"


def test_proxies(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_proxies("https://s3.test").found == "none"
    monkeypatch.setenv("https_proxy", "http://user:hidden@proxy:3128")
    assert check_proxies("https://s3.test").found == "http://***@proxy:3128 (https_proxy)"
    monkeypatch.setenv("no_proxy", "s3.test")
    assert check_proxies("https://s3.test").found.startswith("not for s3.test")


@pytest.fixture
def late_server() -> Iterator[str]:
    """Answers every request with 307 to a place that is not there, and a date long past."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "Authorization" not in self.headers
            self.send_response_only(307)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Date", "Tue, 01 Jan 2019 00:00:00 GMT")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_endpoint_with_another_time(clean_aws: None, late_server: str) -> None:
    endpoint, clock = check_endpoint(late_server, "", "--endpoint-url")
    assert endpoint.status == "ok"
    assert clock.status == "problem"
    assert "ahead of the server's" in clock.found


def test_an_endpoint_that_is_no_web_server(clean_aws: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(1)
                accepted.sendall(b"220 ready\r\n" * 2)

        thread = threading.Thread(target=greet)
        thread.start()
        endpoint, clock = check_endpoint(
            f"http://127.0.0.1:{listener.getsockname()[1]}", "", "--endpoint-url"
        )
        thread.join()
    assert endpoint.status == "problem"
    assert clock.status == "skipped"


def test_a_listing_that_never_ends(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        session = S3Session.from_environment(endpoint_url=url)
        trial = BucketTrial(session, S3Location("bucket", "x/"), limit_seconds=0.5)
        listing, get = trial.checks()
        session.close()
    assert listing.status == "problem"
    assert "no answer within" in listing.found
    assert get.status == "skipped"
    assert trial.readable is None


def stream_that(**changes: float | str | None) -> Check:
    counters = {
        "connections_limit": 8,
        "part_bytes": 8 * MIB,
        "retries": 0,
        "throttled": 0,
        "reader_waited": 2.0,
        "feeder_waited": 0.1,
        "error": "",
    }
    numbers = {
        "bytes": 3_000_000_000,
        "seconds": 3.0,
        "later_rate": 1.2e9,
        "first_byte": 0.05,
        "cpu_seconds": 1.0,
    }
    for name, value in changes.items():
        (counters if name in counters else numbers)[name] = value
    return judge_stream(Stream(stats=counters, **numbers), cores=2)  # type: ignore[arg-type]


def test_rate() -> None:
    good = stream_that()
    assert good.status == "ok"
    for part in ("1.2 GB/s", "S3 or the network", "8 connections", "8 MiB", "50 ms"):
        assert part in good.found
    assert good.numbers["bytes_per_second"] == 1.2e9
    assert "limited by 2 cores" in stream_that(cpu_seconds=5.9).found
    assert "the pipe's reader" in stream_that(feeder_waited=2.9).found


def test_rate_that_is_none() -> None:
    assert stream_that(error="403 AccessDenied").found == "403 AccessDenied"
    assert stream_that(error="403 AccessDenied").status == "problem"
    assert stream_that(first_byte=None).status == "problem"
    assert "came to a stop" in stream_that(later_rate=0).found
    assert stream_that(throttled=3).status == "warning"
    assert "fewer requests" in stream_that(throttled=3, retries=3).advice
    assert stream_that(retries=3).status == "warning"


def test_drain_reads_pipe_after_pipe(tmp_path: Path) -> None:
    drain = PipeDrain(tmp_path, "c")
    drain.start()
    assert drain.first_byte_at is None
    for epoch in range(2):
        os.mkfifo(tmp_path / f"c_{epoch}")
        (tmp_path / f"c_{epoch}").write_bytes(b"x" * 3_000_000)
    wait_until(lambda: drain.bytes == 6_000_000, "the drain has read both pipes")
    assert drain.first_byte_at is not None
    drain.stop()


def test_drain_stops_without_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "c_0")
    drain = PipeDrain(tmp_path, "c")
    drain.start()
    drain.stop()
    assert stat.S_ISFIFO((tmp_path / "c_0").stat().st_mode)
    assert drain.bytes == 0


UseTensorFlow = Callable[[str], None]


@pytest.fixture
def use_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UseTensorFlow:
    """A function that makes child processes import this code as tensorflow."""

    def use(code: str) -> None:
        (tmp_path / "tensorflow").mkdir()
        (tmp_path / "tensorflow" / "__init__.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return use


def test_the_op_loads() -> None:
    with OpTrial() as op:
        check = op.check()
    assert check.status == "ok", check.found
    assert "built for TensorFlow 2." in check.found


def test_an_op_for_another_tensorflow(use_tensorflow: UseTensorFlow) -> None:
    use_tensorflow("__version__ = '2.11.1'")
    with OpTrial() as op:
        check = op.check()
    assert check.status == "problem"
    assert "this is TensorFlow 2.11.1" in check.found
    assert "Install tensorflow==" in check.advice


def test_no_tensorflow(use_tensorflow: UseTensorFlow) -> None:
    use_tensorflow("raise ModuleNotFoundError('No module', name='tensorflow')")
    with OpTrial() as op:
        check = op.check()
    assert check.status == "warning"
    assert "not installed; built for TensorFlow 2." in check.found


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("raise OSError('libcudart is missing')", "libcudart is missing"),
        ("import numpy_of_another_kind", "numpy_of_another_kind"),
        ("import os; os.abort()", "status -6"),
        ("print('noise'); import sys; sys.exit('enough')", "enough"),
    ],
)
def test_a_broken_tensorflow(use_tensorflow: UseTensorFlow, code: str, seen: str) -> None:
    use_tensorflow(code)
    with OpTrial() as op:
        check = op.check()
    assert check.status == "problem"
    assert seen in check.found


def test_a_tensorflow_that_hangs(use_tensorflow: UseTensorFlow) -> None:
    use_tensorflow("import time; time.sleep(1000)")
    with OpTrial(limit_seconds=0.2) as op:
        check = op.check()
    assert check.status == "problem"
    assert "did not end within" in check.found


def test_a_check_that_fails_itself() -> None:
    def fail() -> list[Check]:
        raise ZeroDivisionError("a bug")

    section = _section("machine", fail)
    assert section.checks[0].status == "problem"
    assert "a bug" in section.checks[0].found
    assert json.loads(json.dumps(section.to_json()))["title"] == "machine"
