"""One copy of the model on every GPU; on a CPU one copy that uses all of it."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.saved_models import Model, load_model

# A container's share of the CPUs, as "<microseconds> <of microseconds>" or "max <...>"; control
# groups, version 2.
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# Whoever has set one of these, which TensorFlow reads, has chosen.
_THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


class Replicas:
    """Copies of one model, each on its device. Calls go to the least busy one. Thread-safe.

    Attributes:
        signature: The model's.
        fixed_batch: Rows that each call must have; None for any number.
        equal_batches: See `Model`.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        if not models:
            raise InvalidArgumentError("replicas of no model: give at least one")
        self.signature = models[0].signature
        self.fixed_batch = models[0].fixed_batch
        self.equal_batches = models[0].equal_batches
        self._models = tuple(models)
        self._busy = [0] * len(models)
        self._lock = threading.Lock()

    @classmethod
    def load(
        cls,
        path: Path,
        signature: str = "serving_default",
        *,
        jit_compile: bool = False,
        mixed_precision: bool = False,
        devices: Sequence[str] | None = None,
    ) -> Replicas:
        """Loads a model once for each device.

        Args:
            path: As for `load_model`; so are the others.
            signature: The name of the signature.
            jit_compile: Compile with XLA.
            mixed_precision: Compute in 16 bits.
            devices: TensorFlow's names; None for every GPU that it shows, or the CPU.

        Raises:
            InvalidArgumentError: The model cannot do what was asked; see `load_model`.
            DataLossError: The model cannot be loaded.
        """
        chosen = tuple(devices) if devices is not None else visible_devices()
        return cls(
            [
                load_model(
                    path,
                    signature,
                    jit_compile=jit_compile,
                    mixed_precision=mixed_precision,
                    device=device,
                )
                for device in chosen
            ]
        )

    def __len__(self) -> int:
        return len(self._models)

    @property
    def takes_packed(self) -> bool:
        """See `Model`."""
        return self._models[0].takes_packed

    @property
    def devices(self) -> tuple[str, ...]:
        """Where the replicas are; "" stands for TensorFlow's choice."""
        return tuple(model.device for model in self._models)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Runs a batch on the replica with the fewest calls under way; see `Model.run`."""
        with self._lock:
            chosen = self._busy.index(min(self._busy))
            self._busy[chosen] += 1
        try:
            return self._models[chosen].run(inputs)
        finally:
            with self._lock:
                self._busy[chosen] -= 1


def visible_devices() -> tuple[str, ...]:
    """The GPUs that TensorFlow shows; without one, "" alone.

    On a CPU it is also here that TensorFlow's thread pools get their sizes, if nothing else has
    chosen them: both as many threads as this process may use CPUs. One replica then computes a
    large op with all of them, and runs as many small ones (decoding images, say) side by side.
    TensorFlow itself counts CPUs that a container's quota takes away, and its threads would then
    take turns.
    """
    import tensorflow as tf

    if not any(name in os.environ for name in _THREAD_VARIABLES):
        cpus = usable_cpus()
        try:
            tf.config.threading.set_intra_op_parallelism_threads(cpus)
            tf.config.threading.set_inter_op_parallelism_threads(cpus)
        except RuntimeError:  # TensorFlow runs already, with the pools that it has
            pass
    gpus = tf.config.list_logical_devices("GPU")
    return tuple(gpu.name for gpu in gpus) or ("",)


def usable_cpus(quota_file: Path = _CPU_QUOTA) -> int:
    """CPUs that this process may use: those it is bound to, or fewer by its container's quota."""
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, _, period = quota_file.read_text().partition(" ")
        if quota != "max":
            cpus = min(cpus, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such control group here
        pass
    return cpus
