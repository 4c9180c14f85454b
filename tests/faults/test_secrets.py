"""What has to stay secret stays so, and what is ours is nobody else's to read."""

from __future__ import annotations

import logging
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.conftest import UseTemporaryCredentials
from tests.faults.epochs import SIZES, check_epoch, fail_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3
from tests.faulty_s3.temporary_credentials import TemporaryCredentials
from tests.pipes import read_epoch
from tests.streams import streaming

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def credentials(
    s3: FaultyS3, use_temporary_credentials: UseTemporaryCredentials
) -> TemporaryCredentials:
    return use_temporary_credentials(s3, life=36_000)


def secrets(credentials: TemporaryCredentials) -> list[str]:
    """All that was given out: keys, secrets, tokens. The ids are not to be seen either."""
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    return [issued[name] for issued in credentials.issued() for name in names]


def process_of(feed: Prefetcher) -> Path:
    assert feed._process is not None
    assert feed._process._popen is not None
    return Path("/proc", str(feed._process._popen.pid))


def files_under(*folders: str | Path) -> list[Path]:
    return [path for folder in folders for path in Path(folder).rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["expired_token", "access_denied", "redirect_loop", "slow_down"])
def test_secrets_stay_secret(
    s3: FaultyS3,
    credentials: TemporaryCredentials,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    s3.add(SIZES)
    s3.set_faults(Fault(kind, keys="data/d"))
    config = small_parts(retry_tries=2, cache_dir=str(tmp_path / "cache"))
    with (
        caplog.at_level(logging.DEBUG),
        Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed,
    ):
        failed = fail_epoch(feed, s3)
        s3.set_faults()
        check_epoch(feed, s3, 1)
        said = [
            failed.message,
            repr(feed.stats()),
            (process_of(feed) / "cmdline").read_text(),
            *(path.read_bytes().decode("latin-1") for path in files_under(*feed.dirs.values())),
        ]
    said += [p.read_bytes().decode("latin-1") for p in files_under(tmp_path / "cache")]
    output = capfd.readouterr()
    said += [output.out, output.err, caplog.text]
    for secret in secrets(credentials):
        assert not any(secret in text for text in said)
    assert "AWS4-HMAC-SHA256" not in output.err + caplog.text


def test_secrets_stay_off_the_terminal(
    s3: FaultyS3, credentials: TemporaryCredentials, tmp_path: Path
) -> None:
    """``smtf stream``, with its log, its errors and its progress line."""
    s3.add(SIZES)
    s3.set_faults(Fault("access_denied", keys="data/d"))
    terminal, theirs = pty.openpty()
    with streaming(tmp_path, "-v", "--channel", f"train={s3.uri}/data/", stderr=theirs) as stream:
        os.close(theirs)
        read_epoch(stream.pipe_dir, "train", 0)
        shown = b""
        while b"AccessDenied" not in shown or b"train: epoch 1" not in shown:
            shown += os.read(terminal, 4096)
        argv = Path(f"/proc/{stream.process.pid}/cmdline").read_bytes()
        stream.stop()
    os.close(terminal)
    for secret in secrets(credentials):
        assert secret.encode() not in shown + argv


def test_files_are_the_users_own(s3: FaultyS3, tmp_path: Path) -> None:
    """Whatever the umask allows."""
    s3.add(SIZES)
    cache = tmp_path / "cache"
    before = os.umask(0)
    try:
        config = small_parts(cache_dir=str(cache), cache_bytes=64 << 20)
        with Prefetcher({"train": f"{s3.uri}/data/"}, config=config) as feed:
            check_epoch(feed, s3)
            check_epoch(feed, s3, 1)
            pipes = list(Path(feed.dirs["pipe_dir"]).iterdir())
            assert any(stat.S_ISFIFO(path.stat().st_mode) for path in pipes)
            cached = files_under(cache)
            assert sum(path.stat().st_size for path in cached) > sum(SIZES.values()) // 2
            modes = {str(p): stat.S_IMODE(p.stat().st_mode) for p in [*pipes, *cached]}
    finally:
        os.umask(before)
    assert {path: oct(mode) for path, mode in modes.items() if mode != 0o600} == {}
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_state_file_is_the_users_own(s3: FaultyS3, tmp_path: Path) -> None:
    s3.put({"data/x": b"one line\n"})
    script = (
        "import os, sys; os.umask(0); from sagemaker_tensorflow import PipeModeDataset; "
        "pipes, state, config = sys.argv[1:]; print(list(PipeModeDataset('train', 'TextLine', "
        "pipe_dir=pipes, state_dir=state, config_dir=config).as_numpy_iterator()))"
    )
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        dirs = [feed.dirs[name] for name in ("pipe_dir", "state_dir", "config_dir")]
        ran = subprocess.run(
            [sys.executable, "-c", script, *dirs], check=True, capture_output=True, text=True
        )
        assert ran.stdout == "[b'one line']\n"
        states = files_under(feed.dirs["state_dir"])
        assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in states] == ["0o600"]
