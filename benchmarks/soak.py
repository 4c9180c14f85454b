"""Streams for minutes through a server that misbehaves, and looks at every byte.

    python benchmarks/soak.py --minutes 10 --faults

Two prefetchers, one of them with a cache that is too small for what it streams, feed channels of
several kinds, epoch after epoch. Every epoch is compared with the truth. A line a minute goes to
stderr and one JSON document to stdout; the exit status is 1 if an epoch was not the truth, ended
with an error or did not end.

`retry_tries` is raised: at the rates of a storm, eight tries in a row fail now and then, and then
the right thing is an error.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import harness

# For tests/faulty_s3, which is not installed.
sys.path.insert(0, str(Path(__file__).parents[1]))

from fault_weather import FaultWeather
from soak_channels import SoakChannel, SoakData

from sagemaker_tensorflow import PrefetchConfig, Prefetcher
from tests.faulty_s3 import FaultyS3, ServerOptions, faulty_s3
from tests.faulty_s3.temporary_credentials import TemporaryCredentials
from tests.pipes import outcome, read_epoch

# Longer than any storm, backoff and stall in a row.
_HANG_SECONDS = 180.0
_KEY_LIFE_SECONDS = 45.0
_COUNTERS = ("retries", "throttled", "hedges", "hedges_won", "checksums_verified")
_MIB = 1 << 20


class ChannelReader:
    """Reads one channel in a thread of its own, epoch after epoch, until `end`.

    Attributes:
        epochs: Read and found right.
        bytes: Of those.
        losses: What was wrong with the others, a line each.
        last_end: When the last epoch ended, by `time.monotonic`.
    """

    def __init__(self, channel: SoakChannel, pipe_dir: str) -> None:
        self.channel = channel
        self.epochs = 0
        self.bytes = 0
        self.losses: list[str] = []
        self.last_end = time.monotonic()
        self._pipe_dir = pipe_dir
        self._end = threading.Event()
        # A daemon, because one that hangs must not keep this process.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Lets it finish its epoch."""
        self._end.set()

    def join(self, seconds: float) -> bool:
        """Waits so long for its end; False when it has not come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        epoch = 0
        while not self._end.is_set():
            try:
                self._read(epoch)
            except Exception as error:
                self.losses.append(f"{self.channel.name} epoch {epoch}: {error!r}")
                return
            self.last_end = time.monotonic()
            epoch += 1

    def _read(self, epoch: int) -> None:
        data = read_epoch(self._pipe_dir, self.channel.name, epoch)
        said = outcome(self._pipe_dir, self.channel.name, epoch)
        if said["state"] != "done":
            self.losses.append(f"{self.channel.name} epoch {epoch}: {said}")
            return
        got = self.channel.digest(data)
        if got != self.channel.truth:
            self.losses.append(
                f"{self.channel.name} epoch {epoch}: {got} instead of {self.channel.truth}"
            )
            return
        self.epochs += 1
        self.bytes += len(data)


class ProcessWatch:
    """Resident size and open files of a prefetcher's process over time."""

    def __init__(self, feed: Prefetcher) -> None:
        assert feed._process is not None
        assert feed._process._popen is not None
        self._proc = Path("/proc", str(feed._process._popen.pid))
        self.max_rss = 0
        self.first_fds: int | None = None
        self.last_fds = 0

    def look(self, *, warm: bool) -> None:
        """Takes a sample; the first number of open files is the first warm one."""
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            pages = int((self._proc / "statm").read_text().split()[1])
            self.max_rss = max(self.max_rss, pages * os.sysconf("SC_PAGE_SIZE"))
            self.last_fds = len(list((self._proc / "fd").iterdir()))
            if warm and self.first_fds is None:
                self.first_fds = self.last_fds

    def to_json(self) -> dict[str, int | None]:
        """What it saw."""
        return {
            "max_rss_bytes": self.max_rss,
            "fds_first": self.first_fds,
            "fds_last": self.last_fds,
        }


class Soak:
    """Everything that runs, and what is known of it."""

    def __init__(self, s3: FaultyS3, feeds: Sequence[Prefetcher], readers: list[ChannelReader]):
        self._s3 = s3
        self._feeds = feeds
        self._readers = readers
        self._watches = [ProcessWatch(feed) for feed in feeds]
        self._hangs: list[str] = []
        self._counters: Counter[str] = Counter()
        self._begin = time.monotonic()

    def run(self, seconds: float) -> None:
        """Looks at it every second, and prints a line every minute, until the time is over."""
        said = self._begin
        while time.monotonic() < self._begin + seconds and not self._find_hangs():
            time.sleep(1)
            warm = all(reader.epochs > 0 for reader in self._readers)
            for watch in self._watches:
                watch.look(warm=warm)
            if time.monotonic() - said >= 60:
                said = time.monotonic()
                self._count()
                print(self._line(), file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Lets every reader come to the end of its epoch."""
        for reader in self._readers:
            reader.end()
        deadline = time.monotonic() + _HANG_SECONDS
        for reader in self._readers:
            if not reader.join(max(0, deadline - time.monotonic())):
                self._hangs.append(f"{reader.channel.name} epoch {reader.epochs} does not end")
        self._count()
        print(self._line(), file=sys.stderr, flush=True)

    @property
    def losses(self) -> list[str]:
        """What went wrong; empty is what this is all about."""
        return [*self._hangs, *(loss for reader in self._readers for loss in reader.losses)]

    def results(self) -> dict[str, Any]:
        """For the JSON document."""
        totals = self._s3.totals()
        return {
            "epochs": {reader.channel.name: reader.epochs for reader in self._readers},
            "bytes": sum(reader.bytes for reader in self._readers),
            "faults": totals["faults"],
            "statuses": totals["statuses"],
            **{name: self._counters[name] for name in _COUNTERS},
            "processes": [watch.to_json() for watch in self._watches],
            "losses": self.losses,
        }

    def _find_hangs(self) -> bool:
        late = time.monotonic() - _HANG_SECONDS
        self._hangs = [
            f"{reader.channel.name} epoch {reader.epochs}: nothing for {_HANG_SECONDS:.0f} s"
            for reader in self._readers
            if reader.last_end < late
        ]
        return bool(self._hangs)

    def _count(self) -> None:
        stats = [s for feed in self._feeds if feed.alive for s in feed.stats().values()]
        self._counters = Counter({n: sum(getattr(s, n) for s in stats) for n in _COUNTERS})

    def _line(self) -> str:
        epochs = " ".join(f"{r.channel.name}={r.epochs}" for r in self._readers)
        size = sum(reader.bytes for reader in self._readers) / 1e9
        given = sum(self._s3.totals()["faults"].values())
        counters = " ".join(f"{name}={self._counters[name]}" for name in _COUNTERS)
        rss = "+".join(f"{watch.max_rss / 1e6:.0f}" for watch in self._watches)
        fds = "+".join(str(watch.last_fds) for watch in self._watches)
        return (
            f"{time.monotonic() - self._begin:.0f} s: {epochs} {size:.2f} GB, faults={given} "
            f"{counters} max_rss={rss} MB fds={fds} losses={len(self.losses)}"
        )


@contextlib.contextmanager
def soaking(seed: int, folder: Path) -> Iterator[tuple[FaultyS3, Soak]]:
    """Starts the server, two prefetchers and the readers of their channels."""
    with contextlib.ExitStack() as stack:
        s3 = stack.enter_context(faulty_s3(ServerOptions(seed=seed, checksum="crc32")))
        data = SoakData(s3, seed)
        _use_temporary_credentials(s3, folder)
        patient: dict[str, Any] = {"retry_tries": 100, "retry_seconds": 300, "stall_seconds": 2}
        configs = [
            PrefetchConfig(part_bytes=_MIB, memory_bytes=64 * _MIB, **patient),
            PrefetchConfig(
                memory_bytes=64 * _MIB,
                cache_dir=str(folder / "cache"),
                cache_bytes=data.bytes_stored // 2,
                **patient,
            ),
        ]
        feeds, readers = [], []
        for config, channels in zip(
            configs, (data.channels(), data.cached_channels()), strict=True
        ):
            feed = Prefetcher({c.name: c.input for c in channels}, config=config)
            feeds.append(stack.enter_context(feed))
            readers += [ChannelReader(channel, feed.dirs["pipe_dir"]) for channel in channels]
        yield s3, Soak(s3, feeds, readers)


def _use_temporary_credentials(s3: FaultyS3, folder: Path) -> None:
    """Makes boto3 find the server's, which do not live long, and nothing else."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    credentials = TemporaryCredentials(s3, folder, life=_KEY_LIFE_SECONDS)
    os.environ |= {
        "AWS_CONFIG_FILE": str(credentials.config),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3.url,
    }


def main() -> int:
    """Parses the command line, soaks, prints JSON. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--faults", action="store_true", help="all kinds that can be survived")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtf-soak-") as folder:
        with soaking(options.seed, Path(folder)) as (s3, soak):
            weather = FaultWeather(s3, options.seed)
            if options.faults:
                weather.begin()
            soak.run(options.minutes * 60)
            if options.faults:
                weather.end()
            soak.finish()
            results = soak.results()
        harness.print_report("soak", {**results, "storms": weather.storms}, **vars(options))
    return 1 if results["losses"] else 0


if __name__ == "__main__":
    sys.exit(main())
