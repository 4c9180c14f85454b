"""Runs of one job in processes of their own: one has it, the others are told."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from sagemaker_tensorflow.errors import FailedPreconditionError
from sagemaker_tensorflow.transform import s3_lease
from sagemaker_tensorflow.transform.job_lease import job_lease, job_owner
from sagemaker_tensorflow.transform.lease_holder import LeaseHolder
from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from sagemaker_tensorflow.transform.spec import TransformSpec
from tests.transform.lease_worker import NAME, lease_of
from tests.transform.unconditional_s3 import unconditional_s3

NEVER = 1000.0


class Worker:
    """A run of the job."""

    def __init__(self, uri: str, renew: float = NEVER, lapse: float = NEVER) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.transform.lease_worker", uri, str(renew), str(lapse)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        """Its next word, which it is waited for."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()


StartWorker = Callable[..., Worker]


@pytest.fixture
def start(output_uri: str) -> Iterator[StartWorker]:
    with contextlib.ExitStack() as stack:

        def start_worker(renew: float = NEVER, lapse: float = NEVER) -> Worker:
            worker = Worker(output_uri, renew, lapse)
            stack.enter_context(worker.process)
            stack.callback(worker.process.kill)
            return worker

        yield start_worker


@pytest.fixture
def s3_store(bucket: str) -> Iterator[OutputStore]:
    with contextlib.closing(open_output_store(f"s3://{bucket}/results")) as opened:
        yield opened


def test_one_after_the_other(start: StartWorker, store: OutputStore) -> None:
    first = start()
    assert first.says() == "held"
    second = start()
    told = second.says()
    assert "this job runs already, as 'nightly' on host " in told
    assert f"on host {os.uname().nodename}, process {first.process.pid}, since 20" in told
    assert "another output path" in told
    first.end()
    assert first.says() == "ended"
    with lease_of(store, NEVER, NEVER), pytest.raises(FailedPreconditionError):
        lease_of(store, NEVER, NEVER).__enter__()  # of this very process too


def test_a_killed_run_stands_in_nobodys_way(start: StartWorker, store: OutputStore) -> None:
    """Neither for long nor at all; a zombie is as dead."""
    for _ in range(2):
        worker = start()
        assert worker.says() == "held"
        worker.process.kill()
        os.waitid(os.P_PID, worker.process.pid, os.WEXITED | os.WNOWAIT)
    with lease_of(store, NEVER, NEVER):
        pass


@pytest.mark.parametrize("output_uri", ["radosgw", "files"], indirect=True)
def test_of_many_at_a_time_one_has_it(start: StartWorker) -> None:
    workers = [start() for _ in range(6)]
    words = [worker.says() for worker in workers]
    assert words.count("held") == 1, words
    assert sum("this job runs already" in word for word in words) == 5, words


@pytest.mark.parametrize("output_uri", ["moto", "radosgw"], indirect=True)
def test_a_run_that_slept_is_told(start: StartWorker) -> None:
    """Its writes fail, and the other goes on undisturbed."""
    slept = start(0.2, 2)
    assert slept.says() == "held"
    slept.process.send_signal(signal.SIGSTOP)
    time.sleep(3)  # LastModified has whole seconds
    other = start(0.2, 2)
    assert other.says() == "held"
    slept.process.send_signal(signal.SIGCONT)
    told = slept.says()
    assert f"another run of this job took over, 'nightly' on host {os.uname().nodename}" in told
    assert f"process {other.process.pid}" in told
    other.end()
    assert other.says() == "ended"


def elsewhere() -> LeaseHolder:
    """A run of a machine that cannot be asked."""
    return dataclasses.replace(LeaseHolder.this_process("nightly"), boot="another", host="far")


@pytest.mark.parametrize("content", [elsewhere().to_json(), b"not ours"])
def test_another_hosts_lease_lapses(content: bytes, s3_store: OutputStore) -> None:
    s3_store.write_small(NAME, content)
    with lease_of(s3_store, NEVER, lapse_seconds=1.5):
        pass


def test_another_hosts_lease_that_is_renewed(s3_store: OutputStore) -> None:
    holder = elsewhere()
    s3_store.write_small(NAME, holder.to_json())
    later = threading.Timer(
        0.5,
        lambda: s3_store.write_small(NAME, dataclasses.replace(holder, renewals=1).to_json()),
    )
    later.start()
    with pytest.raises(FailedPreconditionError, match=r"host far.*its claim ends 1000 s after"):
        lease_of(s3_store, NEVER, NEVER).__enter__()
    later.join()


def test_a_lease_that_somebody_removed_is_written_again(s3_store: OutputStore) -> None:
    with lease_of(s3_store, 0.1, NEVER):
        s3_store.delete(NAME)
        deadline = time.monotonic() + 30
        while not s3_store.exists(NAME):
            assert time.monotonic() < deadline


@pytest.mark.parametrize("refuse", [False, True])
def test_a_store_without_conditional_writes(
    refuse: bool,
    bucket: str,
    s3_server: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ignored or refused, they are noticed, and who comes later is told as elsewhere."""
    monkeypatch.setattr(s3_lease, "_SETTLE_SECONDS", 0.1)
    with unconditional_s3(s3_server, refuse) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        store = open_output_store(f"s3://{bucket}/results")
        with contextlib.closing(store), lease_of(store, 0.1, NEVER):
            assert "has no conditional writes" in caplog.text
            with pytest.raises(FailedPreconditionError, match="this job runs already"):
                lease_of(store, 0.1, NEVER).__enter__()
            while renewals(store) < 2:
                pass
            with pytest.raises(FailedPreconditionError, match=r"took over, .*far"):
                while True:  # a renewal that looked just before overwrites it once
                    store.write_small(NAME, elsewhere().to_json())


def renewals(store: OutputStore) -> int:
    holder = LeaseHolder.from_json(store.read_small(NAME))
    assert holder is not None
    return holder.renewals


def test_jobs_that_would_write_the_same_results_are_kept_apart(store: OutputStore) -> None:
    """Whatever their settings; and the end of one is all that the other waits for."""
    spec = TransformSpec("m", "s3://bucket/data", store.uri, job_name="nightly")
    other = dataclasses.replace(spec, model="new", accept="text/csv", job_name="other")
    elsewhere = dataclasses.replace(other, input_uri="s3://bucket/more")
    with job_lease(store, spec):
        told = r"already, as 'nightly' on host .*, with these settings or others for the same"
        with pytest.raises(FailedPreconditionError, match=told):
            job_lease(store, other).__enter__()
        with job_lease(store, elsewhere):
            pass
    with job_lease(store, other):
        pass


def test_jobs_with_another_input_are_others() -> None:
    def owner(uri: str, digest: str = "d") -> str:
        return job_owner(TransformSpec("m", uri, "s3://bucket/out"), digest)

    assert owner("s3://bucket/data") == owner("s3://bucket/data/")
    assert (
        len({owner("s3://bucket/data"), owner("s3://bucket/dat"), owner("s3://bucket/data", "e")})
        == 3
    )
