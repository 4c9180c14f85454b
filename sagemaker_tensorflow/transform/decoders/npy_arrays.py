"""Records that are .npy files."""

from __future__ import annotations

import ast
import functools
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.decoder import RecordTensors, merged
from sagemaker_tensorflow.transform.decoders.tensors import cast

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sagemaker_tensorflow.transform.records import Decoded, Payload
    from sagemaker_tensorflow.transform.signatures import TensorSpec

_MAGIC = b"\x93NUMPY"
_LENGTH_AT = 8
# Bytes of the header's length, by version.
_LENGTHS = {1: 2, 2: 4, 3: 4}
# NumPy's own bound, against literals that bring the parser down.
_MOST_HEADER = 10_000
# How NumPy writes the dtypes of numbers, booleans, byte strings and texts.
_PLAIN = re.compile(r"[<>=|][biufcSU]\d{1,9}")


class NpyDecoder:
    """Decodes ``application/x-npy`` to the one input that there is.

    The first dimension of an array counts instances; an array with as many dimensions as one
    instance is that instance. Numbers are cast to the input's dtype if they fit.
    """

    def __init__(self, spec: TensorSpec) -> None:
        self._spec = spec

    def decode(self, payload: Payload) -> Decoded:
        """See `Decoder`."""
        return merged(payload, [self._spec], [self._decoded(record) for record in payload.records])

    def _decoded(self, record: bytes) -> RecordTensors | BadRecordError:
        try:
            array = npy_array(record)
            sizes = self._spec.instance_shape
            if array.ndim == 0 or (sizes is not None and array.ndim == len(sizes)):
                array = array[np.newaxis]
            tensor = cast(_bytes_objects(array) if self._spec.is_string else array, self._spec)
        except BadRecordError as error:
            return error
        return RecordTensors([tensor], len(tensor))


def npy_array(record: bytes) -> NDArray[Any]:
    """The array of a .npy file, without a copy and without pickles.

    The header is read here and not by NumPy, which makes room for what a damaged one announces,
    and evaluates what Python 2 may have written. The format, of which versions differ in the
    header's length and encoding alone:
    https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

    Raises:
        BadRecordError: It is no .npy file, is cut off or too long, or holds no numbers or texts.
    """
    dtype, shape, fortran, begin = _header(record)
    held = len(record) - begin
    needed = math.prod(shape) * dtype.itemsize
    if held != needed:
        raise BadRecordError(
            f"the .npy file has {held} bytes of data; {dtype} {list(shape)} takes {needed}"
        )
    if not held:
        raise BadRecordError(f"the .npy file has no values: {dtype} {list(shape)}")
    flat = np.frombuffer(record, dtype=dtype, offset=begin)
    array = flat.reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(record: bytes) -> tuple[np.dtype[Any], tuple[int, ...], bool, int]:
    """The array's dtype, shape, whether it is in Fortran order, and where its data begins."""
    if len(record) < _LENGTH_AT or not record.startswith(_MAGIC) or record[6] not in _LENGTHS:
        raise BadRecordError("no .npy file: it does not begin as one")
    length = _LENGTHS[record[6]]
    begin = _LENGTH_AT + length + int.from_bytes(record[_LENGTH_AT : _LENGTH_AT + length], "little")
    text = record[_LENGTH_AT + length : begin]
    if begin > len(record) or len(text) > _MOST_HEADER:
        raise BadRecordError(f"no .npy file: its header of {begin} bytes is cut off or too long")
    try:
        return (*_described(text, record[6]), begin)
    except BadRecordError:
        raise
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError) as error:
        raise BadRecordError(f"no .npy file: bad header: {error}") from None


# Records that were written alike have the same header.
@functools.lru_cache(maxsize=64)
def _described(text: bytes, version: int) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    header = ast.literal_eval(text.decode("utf-8" if version == 3 else "latin-1").strip())
    shape, fortran, kind = header["shape"], header["fortran_order"], header["descr"]
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"shape {shape!r}")
    if not isinstance(fortran, bool):
        raise ValueError(f"fortran_order {fortran!r}")
    if not isinstance(kind, str) or not _PLAIN.fullmatch(kind):
        raise BadRecordError(f"the .npy file holds {kind!r}, neither numbers nor texts")
    return np.dtype(kind), shape, fortran


def _bytes_objects(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "U":
        array = np.char.encode(array, "utf-8")
    if array.dtype.kind != "S":
        raise BadRecordError(f"the input takes strings, and the .npy file holds {array.dtype}")
    return array.astype(object)
