"""JSON documents as instances, in the formats of TensorFlow Serving and its SageMaker container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.transform.bad_records import BadRecordError
from sagemaker_tensorflow.transform.decoders.tensors import is_b64, shown

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.signatures import Signature

Row = tuple[Any, ...]


class JsonInstances:
    """Tells which instances a document stands for.

    - ``{"instances": [...]}``: those, TensorFlow Serving's row format
      (https://www.tensorflow.org/tfx/serving/api_rest).
    - ``{"inputs": [...]}`` or ``{"inputs": {"name": [...]}}``: its column format, whole batches.
      A ``signature_name`` beside either must be this signature; other members are ignored.
    - In ``application/json``, an array of objects, or one with a dimension more than an instance
      has: an instance each. Lines are never taken apart that way.
    - ``{"name": value, ...}`` with exactly the names of the inputs, or for the one input a value of
      any other kind: one instance.

    Where an input itself is called ``instances`` or ``inputs``, the depth of the value decides.
    ``{"examples": ...}`` is of TensorFlow Serving's classify and regress methods, and an error.
    """

    def __init__(self, signature: Signature, *, takes_arrays_apart: bool) -> None:
        self._signature = signature
        self._takes_arrays_apart = takes_arrays_apart
        self._names = [spec.name for spec in signature.inputs]
        self._only = signature.inputs[0] if len(signature.inputs) == 1 else None

    def rows(self, document: Any) -> list[Row]:
        """The instances, each with a value for every input in the signature's order.

        Raises:
            BadRecordError: It is none of the formats, or has not the signature's inputs.
        """
        if isinstance(document, dict) and not self._is_instance(document):
            if "instances" in document or "inputs" in document:
                return self._of_request(document)
            if "examples" in document:
                raise BadRecordError(
                    '"examples" is for classify and regress; use "instances" or "inputs"'
                )
        if self._takes_arrays_apart and isinstance(document, list) and self._is_batch(document):
            return [self._row(value) for value in document]
        return [self._row(document)]

    def _is_instance(self, document: dict[str, Any]) -> bool:
        if set(document) != set(self._names):
            return False
        if self._only is None or self._only.name not in ("instances", "inputs"):
            return True
        sizes = self._only.instance_shape
        return sizes is not None and _depth(document[self._only.name]) == len(sizes)

    def _is_batch(self, values: list[Any]) -> bool:
        if values and isinstance(values[0], dict) and not is_b64(values[0]):
            return True
        if self._only is None or self._only.instance_shape is None:
            return False
        return _depth(values) == len(self._only.instance_shape) + 1

    def _of_request(self, document: dict[str, Any]) -> list[Row]:
        if "instances" in document and "inputs" in document:
            raise BadRecordError('both "instances" and "inputs" are given')
        asked = document.get("signature_name", self._signature.name)
        if asked != self._signature.name:
            raise BadRecordError(
                f"signature_name is {shown(asked)}, and the job's signature {self._signature.name}"
            )
        if "inputs" in document:
            return self._of_columns(document["inputs"])
        instances = document["instances"]
        if not isinstance(instances, list):
            raise BadRecordError(f'"instances" must be an array, not {shown(instances)}')
        return [self._row(value) for value in instances]

    def _of_columns(self, inputs: Any) -> list[Row]:
        if self._only is not None and (not isinstance(inputs, dict) or is_b64(inputs)):
            inputs = {self._only.name: inputs}
        if not isinstance(inputs, dict):
            raise BadRecordError(f'"inputs" must be an object of {self._named()}')
        columns = self._members(inputs)
        for name, column in zip(self._names, columns, strict=True):
            if not isinstance(column, list):
                raise BadRecordError(f'input {name!r} in "inputs" is {shown(column)}, no array')
        if len({len(column) for column in columns}) > 1:
            sizes = ", ".join(str(len(column)) for column in columns)
            raise BadRecordError(f'the arrays in "inputs" are of different lengths: {sizes}')
        return list(zip(*columns, strict=True))

    def _row(self, value: Any) -> Row:
        if self._only is not None and (not isinstance(value, dict) or is_b64(value)):
            return (value,)
        if not isinstance(value, dict):
            raise BadRecordError(f"an instance must be an object of {self._named()}")
        return self._members(value)

    def _members(self, value: dict[str, Any]) -> Row:
        missing = [name for name in self._names if name not in value]
        unknown = [name for name in value if name not in self._names]
        if missing:
            has = ", ".join(map(repr, list(value)[:5])) or "nothing"
            raise BadRecordError(f"no value for input {missing[0]!r}; the object has {has}")
        if unknown:
            raise BadRecordError(
                f"{unknown[0]!r} is no input of the signature, which has {self._named()};"
                " an InputFilter can leave it out"
            )
        return tuple(value[name] for name in self._names)

    def _named(self) -> str:
        return ", ".join(map(repr, self._names))


def _depth(value: Any) -> int:
    """How many arrays are around the first value; -1 for objects."""
    depth = 0
    while isinstance(value, list):
        depth += 1
        if not value:
            return depth
        value = value[0]
    return -1 if isinstance(value, dict) and not is_b64(value) else depth
