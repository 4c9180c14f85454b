"""A server of its own for every test, and an environment in which boto3 finds nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ACCESS_KEY, SECRET_KEY
from tests.faulty_s3 import FaultyS3, ServerOptions, faulty_s3
from tests.faulty_s3.temporary_credentials import TemporaryCredentials

ServeS3 = Callable[[ServerOptions], FaultyS3]


@pytest.fixture
def serve(clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServeS3]:
    """A function that runs a server, which checks signatures, and points boto3 at it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with contextlib.ExitStack() as stack:

        def start(options: ServerOptions) -> FaultyS3:
            s3 = stack.enter_context(faulty_s3(options))
            s3.allow(ACCESS_KEY, SECRET_KEY)
            monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
            return s3

        yield start


@pytest.fixture
def s3(serve: ServeS3) -> FaultyS3:
    return serve(ServerOptions(seed=20))


UseTemporaryCredentials = Callable[..., TemporaryCredentials]


@pytest.fixture
def use_temporary_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> UseTemporaryCredentials:
    """A function that makes boto3 find a server's `TemporaryCredentials`, and no others."""

    def use(s3: FaultyS3, **lives: Any) -> TemporaryCredentials:
        credentials = TemporaryCredentials(s3, tmp_path, **lives)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(credentials.config))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        return credentials

    return use
