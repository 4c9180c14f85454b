"""PipeModeDataset through a FIFO against TensorFlow's own datasets on the same payloads in tmpfs.

TFRecords and RecordIO are compared with TFRecordDataset, which reads the payloads as TFRecords, and
lines of text with TextLineDataset. Each contestant is a process of its own, set up as a user would
have it (the defaults of malloc differ: loading PipeModeDataset tunes it), and they take turns:
A B C, then B A C. The FIFO is fed by ``feed_file`` with this package's own writer. Rates count
payload bytes.

  tensorflow      TFRecordDataset(file).batch(n), or TextLineDataset(file).batch(n)
  pipe            PipeModeDataset(...).batch(n)
  pipe_fused      PipeModeDataset(..., batch_size=n)

With n = 1024 for one record per element; for the fused comparison n = 1024, and 128 for records of
16 KiB and more. The ratios are taken round by round to the tensorflow of the same n; those with a
bar stand beside it and whether their median meets it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import harness
from native_programs import program

SMALLEST_LARGE_RECORD = 16 * 1024
# What the ratios have to reach: one record per element, and fused. RecordIO stands beside TFRecord
# to be looked at.
BARS: dict[tuple[str, int], tuple[float | None, float | None]] = {
    ("TFRecord", 100): (None, 5.0),
    ("TFRecord", 1024): (1.0, 2.5),
    ("TFRecord", 16 * 1024): (1.0, 1.2),
    ("TFRecord", 128 * 1024): (1.0, 1.2),
    ("RecordIO", 100): (None, None),
    ("RecordIO", 1024): (None, None),
    ("RecordIO", 16 * 1024): (None, None),
    ("RecordIO", 128 * 1024): (None, None),
    ("TextLine", 80): (1.0, 5.0),
    ("TextLine", 1024): (1.0, 5.0),
}
PRINTABLE = bytes(range(ord(" "), ord("~") + 1))


class Case(NamedTuple):
    """Records of one format and size."""

    record_format: str
    record_bytes: int

    @property
    def fused_batch(self) -> int:
        """Records per fused element."""
        return 128 if self.record_bytes >= SMALLEST_LARGE_RECORD else 1024

    @property
    def tensorflow_format(self) -> str:
        """What TensorFlow's own dataset reads the same payloads as."""
        return "TextLine" if self.record_format == "TextLine" else "TFRecord"

    @property
    def contestants(self) -> dict[str, tuple[str, int]]:
        """Name, then which dataset and how many records a batch."""
        chosen = {"tensorflow": ("tensorflow", 1024), "pipe": ("pipe", 1024)}
        chosen["pipe_fused"] = ("pipe_fused", self.fused_batch)
        if self.fused_batch != 1024:
            chosen["tensorflow_fused_batch"] = ("tensorflow", self.fused_batch)
        return chosen


def content_of(record_format: str) -> bytes:
    """Incompressible bytes to cut records from; for text, of printable characters."""
    content = random.Random(7).randbytes(4 << 20)
    if record_format != "TextLine":
        return content
    return content.translate(bytes(PRINTABLE[byte % len(PRINTABLE)] for byte in range(256)))


def write_records(path: Path, case: Case, record_format: str, total_bytes: int) -> None:
    """Writes the payloads of a case in one of the formats."""
    from sagemaker_tensorflow.records import RecordWriter

    content = content_of(case.record_format)
    with RecordWriter(path, record_format) as writer:
        for index in range(total_bytes // case.record_bytes):
            begin = index * 97 % (len(content) - case.record_bytes)
            writer.write(content[begin : begin + case.record_bytes])


class Contestant:
    """A process that runs one epoch of one dataset whenever it is told to."""

    def __init__(self, kind: str, batch: int, case: Case, files: dict[str, Path]) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="smtf-bench-"))
        self._feeder: subprocess.Popen[bytes] | None = None
        self._payload_bytes = case.record_bytes
        record_format = case.tensorflow_format
        if kind != "tensorflow":
            record_format = case.record_format
            config = {"bench": {"TrainingInputMode": "Pipe"}}
            (self._directory / "inputdataconfig.json").write_text(json.dumps(config))
            channel = str(self._directory / "bench")
            command = [str(program("feed_file")), channel, str(files[record_format])]
            self._feeder = subprocess.Popen(command)
        source = files[record_format] if kind == "tensorflow" else self._directory
        arguments = ["--consume", kind, record_format, str(batch), str(source)]
        self._process = subprocess.Popen(
            [sys.executable, __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self.run()  # TensorFlow's start and the first faults of every page are not the subject

    def run(self) -> float:
        """One epoch; returns payload bytes per second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline()) * self._payload_bytes

    def close(self) -> None:
        """Ends both processes."""
        self._process.kill()
        self._process.communicate()
        if self._feeder is not None:
            self._feeder.kill()
            self._feeder.wait()
        shutil.rmtree(self._directory)


def dataset_of(kind: str, record_format: str, batch: int, source: str) -> Any:
    """A contestant's dataset. `source` is a file for TensorFlow's, a pipe directory for ours."""
    import tensorflow as tf

    if kind == "tensorflow":
        text = record_format == "TextLine"
        reader = tf.data.TextLineDataset if text else tf.data.TFRecordDataset
        return reader(source).batch(batch)
    from sagemaker_tensorflow import PipeModeDataset

    dirs = dict.fromkeys(("pipe_dir", "state_dir", "config_dir"), source)
    if kind == "pipe_fused":
        return PipeModeDataset("bench", record_format, batch_size=batch, **dirs)
    return PipeModeDataset("bench", record_format, **dirs).batch(batch)


def consume(kind: str, record_format: str, batch: int, source: str) -> None:
    """The contestant's process: for each line of stdin an epoch, and its records per second."""
    dataset = dataset_of(kind, record_format, batch, source)
    for _ in sys.stdin:
        begin = time.perf_counter()
        records = sum(element.shape[0] for element in dataset)
        print(records / (time.perf_counter() - begin), flush=True)


def judged(ratios: harness.Summary, bar: float | None) -> dict[str, Any]:
    """A ratio, with its bar where it has one."""
    return {**ratios} if bar is None else {**ratios, "bar": bar, "met": ratios["median"] >= bar}


def measure(case: Case, total_bytes: int, rounds: int, directory: Path) -> object:
    """All contestants of a case."""
    files = {
        name: directory / f"{case.record_bytes}.{name}"
        for name in {case.record_format, case.tensorflow_format}
    }
    for name, path in files.items():
        write_records(path, case, name, total_bytes)
    running = {
        name: Contestant(kind, batch, case, files)
        for name, (kind, batch) in case.contestants.items()
    }
    try:
        samples = harness.interleave({n: c.run for n, c in running.items()}, rounds)
    finally:
        for contestant in running.values():
            contestant.close()
        for path in files.values():
            path.unlink()
    base_of_fused = samples.get("tensorflow_fused_batch", samples["tensorflow"])
    bar, fused_bar = BARS[case]
    return {
        "record_format": case.record_format,
        "record_bytes": case.record_bytes,
        "payload_bytes": total_bytes,
        "fused_batch": case.fused_batch,
        "mb_per_second": {
            name: harness.summary([rate / 1e6 for rate in rates]) for name, rates in samples.items()
        },
        "ratio_to_tensorflow": {
            "pipe": judged(harness.ratios(samples["pipe"], samples["tensorflow"]), bar),
            "pipe_fused": judged(harness.ratios(samples["pipe_fused"], base_of_fused), fused_bar),
        },
    }


def main() -> None:
    """Parses the command line, measures, prints JSON."""
    formats = list(dict.fromkeys(record_format for record_format, _ in BARS))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mib", type=int, default=512, help="payload of each file")
    parser.add_argument("--formats", nargs="+", choices=formats, default=formats)
    parser.add_argument("--record-bytes", type=int, nargs="+", help="only cases of these sizes")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm"))
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory(dir=options.tmpfs, prefix="smtf-bench-") as directory:
        for case in map(Case._make, BARS):
            if case.record_format not in options.formats:
                continue
            if options.record_bytes and case.record_bytes not in options.record_bytes:
                continue
            # Small records cost more each: a quarter of the bytes takes as long.
            total = (options.mib << 20) // (4 if case.record_bytes < 1024 else 1)
            results.append(measure(case, total, options.rounds, Path(directory)))
    harness.print_report(
        "framing", results, rounds=options.rounds, tensorflow=harness.tensorflow_version()
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--consume"]:
        consume(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
    else:
        main()
