"""Places for results: two S3 servers that have nothing in common, and a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf

from sagemaker_tensorflow.transform.output_store import OutputStore, open_output_store


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
