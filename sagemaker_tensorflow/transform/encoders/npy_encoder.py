"""``application/x-npy``: the array of the one output."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.encoders.encoder import Response, StatelessEncoder
from sagemaker_tensorflow.transform.encoders.ragged import is_ragged
from sagemaker_tensorflow.transform.encoders.results import all_failed
from sagemaker_tensorflow.transform.signatures import shape_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload
    from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec


class NpyEncoder(StatelessEncoder):
    """One array in NumPy's format for each payload, its first dimension the payload's instances.

    An object of several payloads has one array after the other: `numpy.load` on the open file gives
    one at each call. Records whose results are of different shapes fail, as one array cannot hold
    them. The format is that of
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html; nothing is pickled.

    Raises:
        InvalidArgumentError: The signature has several outputs, or one of strings, for which the
            format has no place.
    """

    def __init__(self, signature: Signature) -> None:
        if len(signature.outputs) != 1:
            names = ", ".join(spec.name for spec in signature.outputs)
            raise InvalidArgumentError(
                f"accept=application/x-npy holds one array, and signature {signature.name} has "
                f"{len(signature.outputs)} outputs: {names}; choose a signature with one output, "
                "or application/x-parquet, application/x-tfrecord or application/jsonlines"
            )
        (self._spec,) = signature.outputs
        if self._spec.is_string:
            raise InvalidArgumentError(
                f"accept=application/x-npy holds numbers, and output {self._spec} of signature "
                f"{signature.name} has strings; use application/x-tfrecord or application/jsonlines"
            )

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        """Encodes the results of a payload."""
        values = outputs[self._spec.name]
        if not len(values):
            return Response(b"")
        if is_ragged(values):
            return Response(b"", all_failed(payload, decoded, _ragged_error(self._spec, values)))
        file = io.BytesIO()
        np.lib.format.write_array(file, values, allow_pickle=False)
        return Response(file.getvalue())


def _ragged_error(spec: TensorSpec, values: NDArray[Any]) -> BadRecordError:
    shapes = sorted({shape_text(instance.shape) for instance in values})
    return BadRecordError(
        f"output {spec.name!r} has instances of shapes {', '.join(shapes[:5])}, which one array "
        "cannot hold; use BatchStrategy SingleRecord or accept=application/x-parquet"
    )
