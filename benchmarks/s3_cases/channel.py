"""A channel from S3 to `PipeModeDataset`, read by a training process: channel_reader.py."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from s3_data import DataSet

from s3_cases.bench import Bench, run_json


@dataclass(frozen=True)
class Channel:
    """All objects of a bucket, through the prefetcher."""

    bench: Bench
    endpoint: str
    data: DataSet
    config: dict[str, int] = field(default_factory=dict)  # of PrefetchConfig; the rest is default
    from_uri: bool = False  # through shared memory instead of named pipes

    def read(self, epochs: int) -> dict[str, Any]:
        """Reads one epoch and then so many that are measured."""
        arguments = ["--epochs", str(epochs), "--server-pid", str(self.bench.server.pid)]
        answer = self._run(*arguments, *(["--from-uri"] if self.from_uri else []))
        wanted = self.data.records * epochs
        if answer["records"] != wanted:
            raise ValueError(f"{answer['records']} records came of {wanted}")
        return {**answer, "bytes": self.data.bytes * epochs}

    def first_record(self) -> dict[str, Any]:
        """When the prefetcher was started, and when the first record came: time.time()."""
        return self._run("--first-record")

    def _run(self, *arguments: str) -> dict[str, Any]:
        command = [sys.executable, "channel_reader.py", f"s3://{self.data.bucket}/"]
        command += ["--config", json.dumps(self.config), *arguments]
        aws = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "access",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return run_json(command, env={**os.environ, **aws, "TF_CPP_MIN_LOG_LEVEL": "3"})
