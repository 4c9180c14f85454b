"""Amazon's RecordIO-protobuf records as tensors, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from sagemaker_tensorflow import op_library
from sagemaker_tensorflow.errors import InvalidArgumentError

# How the writers of SageMaker's SDK name the one feature and the one label of a record.
_ONLY_NAME = "values"
_DTYPES = (tf.float32, tf.float64, tf.int32)

# Here and not at the first call, so that a saved graph that holds the op can be loaded once this
# module is imported.
_ops = op_library.load()


class _Wanted(NamedTuple):
    """One tensor: which map of a record it is in, under which name, and what it is."""

    map: str  # "features" or "label", as in the message
    name: str
    spec: Any  # tf.TensorSpec or tf.SparseTensorSpec


def parse_recordio_protobuf(
    records: Any, features: Any, labels: Any = None, *, name: str | None = None
) -> Any:
    """The tensors of a batch of RecordIO-protobuf records, parsed in C++ by several threads.

    A record is a serialized ``aialgs.data.Record``, the format that SageMaker's built-in algorithms
    take (``application/x-recordio-protobuf``) and that ``write_numpy_to_dense_tensor`` and
    ``write_spmatrix_to_sparse_tensor`` of SageMaker's Python SDK write::

        def parse(records):
            return parse_recordio_protobuf(
                records, tf.TensorSpec([784], tf.float32), tf.TensorSpec([], tf.float32)
            )

        dataset = PipeModeDataset("training", "RecordIO", batch_size=1024).map(parse)

    It works in eager code, in ``tf.function``, in ``Dataset.map`` and in saved graphs. Before one
    that holds the op is loaded, import this function.

    Args:
        records: ``tf.string`` of shape ``[N]``, a record each, without RecordIO's framing: an
            element of ``PipeModeDataset(record_format="RecordIO", batch_size=N)``.
        features: What to take of the records' features: a spec of the feature ``"values"``, which
            is where the SDK's writers put theirs, or a dict of specs by the features' names. A
            ``tf.TensorSpec(shape, dtype)`` asks for a dense tensor, a
            ``tf.SparseTensorSpec(shape, dtype)`` for a sparse one. The shape is that in one record,
            without the batch, and has no open sizes. The dtype is that of the records:
            ``tf.float32``, ``tf.float64`` or ``tf.int32`` (the SDK writes numpy's int64 as int32).
        labels: The same for the records' labels. A label of one number has the shape ``[]``.
        name: A name for the operation.

    Returns:
        What takes the places of the specs in ``features``; with ``labels``, the pair of both, which
        is what Keras takes. A dense tensor has the shape ``[N, ...shape]`` and the values in C
        order; of a sparse one in the records, those without a key are 0. A ``tf.SparseTensor`` has
        the dense shape ``[N, ...shape]`` and indices in row-major order, whatever order the record
        has. What a record has besides is left alone.

    Raises:
        InvalidArgumentError: A spec cannot be asked for (also a ``ValueError``).
        tf.errors.InvalidArgumentError: A record has no feature or label of that name, or one of
            another dtype or number of values; keys that are twice there or outside of the shape; a
            dense tensor where a sparse one was asked for; or it is no such message. It names the
            record by its place in the batch, the feature, and what was seen.

    The format is in https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html.
    """
    wanted = [*_wanted("features", features)]
    if labels is not None:
        wanted += _wanted("label", labels)
    parsed = _parse(tf.convert_to_tensor(records, tf.string), wanted, name)
    parsed_features = _like(features, "features", parsed)
    if labels is None:
        return parsed_features
    return parsed_features, _like(labels, "label", parsed)


def _wanted(record_map: str, specs: Any) -> list[_Wanted]:
    """The specs by name, checked."""
    named = specs if isinstance(specs, Mapping) else {_ONLY_NAME: specs}
    for name, spec in named.items():
        _check(f"{record_map}[{name!r}]", spec)
    return [_Wanted(record_map, name, spec) for name, spec in named.items()]


def _check(what: str, spec: Any) -> None:
    """Refuses what the op does not have, in the words of the caller."""
    if not isinstance(spec, (tf.TensorSpec, tf.SparseTensorSpec)):
        raise InvalidArgumentError(
            f"{what} must be a tf.TensorSpec or a tf.SparseTensorSpec, not {spec!r}"
        )
    if spec.dtype not in _DTYPES:
        raise InvalidArgumentError(
            f"{what} has dtype {spec.dtype.name}; the tensors of a record are float32, float64 or "
            "int32: ask for the one that it has, and use tf.cast"
        )
    if not spec.shape.is_fully_defined():
        raise InvalidArgumentError(
            f"{what} has shape {spec.shape}; give all sizes of the tensor in one record, without "
            "the batch"
        )
    if isinstance(spec, tf.SparseTensorSpec) and spec.shape.rank == 0:
        raise InvalidArgumentError(f"{what} is sparse and has no dimensions; ask for [1]")


def _parse(records: Any, wanted: list[_Wanted], name: str | None) -> dict[tuple[str, str], Any]:
    """Runs the op; its tensors by map and name."""
    dense = [one for one in wanted if isinstance(one.spec, tf.TensorSpec)]
    sparse = [one for one in wanted if isinstance(one.spec, tf.SparseTensorSpec)]
    outputs = _ops.smtf_parse_record_protobuf(
        records=records,
        num_sparse=len(sparse),
        **_attributes("dense", dense),
        **_attributes("sparse", sparse),
        name=name,
    )
    parsed = {(one.map, one.name): rows for one, rows in zip(dense, outputs.dense, strict=True)}
    parts = zip(
        sparse,
        outputs.sparse_indices,
        outputs.sparse_values,
        outputs.sparse_dense_shapes,
        strict=True,
    )
    for one, indices, values, shape in parts:
        parsed[one.map, one.name] = tf.SparseTensor(indices, values, shape)
    return parsed


def _attributes(prefix: str, wanted: list[_Wanted]) -> dict[str, list[Any]]:
    return {
        f"{prefix}_maps": [one.map for one in wanted],
        f"{prefix}_names": [one.name for one in wanted],
        f"{prefix}_types": [one.spec.dtype for one in wanted],
        f"{prefix}_shapes": [one.spec.shape for one in wanted],
    }


def _like(specs: Any, record_map: str, parsed: dict[tuple[str, str], Any]) -> Any:
    """The tensors in the places of their specs."""
    if isinstance(specs, Mapping):
        return {name: parsed[record_map, name] for name in specs}
    return parsed[record_map, _ONLY_NAME]
