"""``python -m transform_cases.our_job '{"model": ...}'``: one job of ours, as a user runs it.

The argument are fields of TransformSpec; an ``endpoint_url``, for S3; and ``watch_memory``, which
costs time itself. Prints what the job took, by its own account: from its
first request for data, which is the listing, to its last result and its record, without imports
and the model's loading.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import processes

from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.transform.histogram import HistogramCounts
from sagemaker_tensorflow.transform.job import JobResult, TransformJob
from sagemaker_tensorflow.transform.spec import TransformSpec

_LOOK_SECONDS = 0.2


class PrefetcherPeak(threading.Thread):
    """Looks now and then at the largest resident size of the prefetcher's process.

    ``ru_maxrss`` of children does not tell it: a child begins as a copy of its parent, and counts
    that.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._peak = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Until `peak` is called."""
        while not self._ended.wait(_LOOK_SECONDS):
            for pid in processes.children(os.getpid()):
                # It may end at any time.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    if b"prefetch_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        self._peak = max(self._peak, processes.resident_bytes("VmHWM", pid))

    def peak(self) -> int:
        """Ends the thread; bytes."""
        self._ended.set()
        self.join()
        return self._peak


def batch_size_found(progress: dict[str, Any]) -> int:
    """The size of the calls that most instances went through.

    The record's ranges end at powers of two, which are the sizes that a job chooses.
    """
    sizes = HistogramCounts.from_json(progress["BatchSizes"])
    instances = [bound * count for bound, count in zip(sizes.bounds, sizes.counts, strict=False)]
    return int(sizes.bounds[instances.index(max(instances))])


def took(result: JobResult, prefetcher_peak: int | None) -> dict[str, Any]:
    """What is printed."""
    path = urllib.request.url2pathname(urllib.parse.urlsplit(result.record_uri).path)
    record = json.loads(Path(path).read_text())
    progress = record["Progress"]
    return {
        "records": result.records,
        "objects": result.objects_done,
        "bytes": progress["Bytes"]["In"],
        "seconds": result.seconds,
        "batch_size": batch_size_found(progress),
        "stage_seconds": progress["StageSeconds"],
        "peak_resident_bytes": processes.resident_bytes("VmHWM"),
        "prefetcher_peak_resident_bytes": prefetcher_peak,
    }


def main() -> None:
    """Runs the job of the command line."""
    fields = json.loads(sys.argv[1])
    endpoint = fields.pop("endpoint_url", None)
    watched = PrefetcherPeak() if fields.pop("watch_memory", False) else None
    s3 = S3Options(endpoint_url=endpoint, anonymous=True) if endpoint else S3Options()
    job = TransformJob(TransformSpec(job_name="bench", **fields), s3_options=s3)
    if watched:
        watched.start()
    result = job.run()
    peak = watched.peak() if watched else None
    if result.status != "Completed":
        sys.exit(result.summary())
    print(json.dumps(took(result, peak)))


if __name__ == "__main__":
    main()
