"""Places for results: two S3 servers that have nothing in common, and a folder."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import tensorflow as tf

from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store
from tests.radosgw import ACCESS_KEY, SECRET_KEY, Radosgw, missing_programs, radosgw


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    if missing_programs():
        pytest.skip(f"not installed: {', '.join(missing_programs())}")
    with radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture
def gateway_bucket(gateway: Radosgw, clean_aws: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket's name; the server is found in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", gateway.endpoint_url)
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["moto", "radosgw", "files"])
def output_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An output path with nothing in it."""
    if request.param == "files":
        return (tmp_path / "results").as_uri()
    name = {"moto": "bucket", "radosgw": "gateway_bucket"}[request.param]
    return f"s3://{request.getfixturevalue(name)}/some/results"


@pytest.fixture
def store(output_uri: str) -> Iterator[OutputStore]:
    with contextlib.closing(open_output_store(output_uri, owner="0123456789abcdef")) as opened:
        yield opened


@pytest.fixture(scope="session")
def doubling(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SavedModel: ``x: float32 [?, 2]`` to ``y``, twice as much."""
    function = tf.function(
        lambda x: {"y": 2 * x}, input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")]
    )
    path = tmp_path_factory.mktemp("doubling")
    tf.saved_model.save(tf.Module(), str(path), signatures=function.get_concrete_function())
    return str(path)
