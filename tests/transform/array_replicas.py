"""A set of replicas that computes with NumPy, for what an engine does around the model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagemaker_tensorflow.transform.records import Decoded
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec

Arrays = Mapping[str, NDArray[Any]]


def doubled(inputs: Arrays) -> dict[str, NDArray[Any]]:
    return {"y": inputs["x"] * 2}


class ArrayReplicas:
    """Calls a function; remembers how many rows each call had."""

    def __init__(
        self,
        function: Callable[[Arrays], dict[str, NDArray[Any]]] = doubled,
        count: int = 1,
        fixed_batch: int | None = None,
        equal_batches: bool = False,
    ) -> None:
        spec = TensorSpec("x", np.dtype(np.int64), (fixed_batch,))
        self.signature = Signature("serving_default", (spec,), (TensorSpec("y", *_typed(spec)),))
        self.fixed_batch = fixed_batch
        self.equal_batches = equal_batches
        self.calls: list[int] = []
        self._function = function
        self._count = count
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        with self._lock:
            self.calls.append(len(next(iter(inputs.values()))))
        return self._function(inputs)


def _typed(spec: TensorSpec) -> tuple[Any, Any]:
    return spec.dtype, spec.shape


def payload(values: Iterable[int]) -> Decoded:
    array = np.array(list(values), np.int64)
    return Decoded({"x": array}, [1] * len(array))


def payloads(sizes: Iterable[int]) -> Iterator[tuple[int, Decoded]]:
    """Consecutive numbers, in payloads of these sizes, tagged with their number."""
    first = 0
    for tag, size in enumerate(sizes):
        yield tag, payload(range(first, first + size))
        first += size
