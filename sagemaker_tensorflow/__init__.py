"""TensorFlow training and batch inference over data that streams out of S3.

Importing the package is cheap: TensorFlow is loaded with the first use of ``PipeModeDataset``, and
never in the prefetcher's process.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.errors import PipeModeDatasetException

if TYPE_CHECKING:
    from sagemaker_tensorflow.channels import Channel
    from sagemaker_tensorflow.pipe_mode_dataset import PipeModeDataset
    from sagemaker_tensorflow.prefetch_config import PrefetchConfig
    from sagemaker_tensorflow.prefetcher import Prefetcher
    from sagemaker_tensorflow.recordio_protobuf import parse_recordio_protobuf
    from sagemaker_tensorflow.training.estimator import TensorFlow
    from sagemaker_tensorflow.training.history.analytics import TrainingJobAnalytics
    from sagemaker_tensorflow.training.history.job_store import JobStore
    from sagemaker_tensorflow.training.job import TrainingJob
    from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput
    from sagemaker_tensorflow.transform.job import TransformJob
    from sagemaker_tensorflow.transform.transformer import Transformer

__all__ = [
    "Channel",
    "JobStore",
    "PipeModeDataset",
    "PipeModeDatasetException",
    "PrefetchConfig",
    "Prefetcher",
    "ShuffleConfig",
    "TensorFlow",
    "TrainingInput",
    "TrainingJob",
    "TrainingJobAnalytics",
    "TransformJob",
    "Transformer",
    "parse_recordio_protobuf",
]

_HOMES = {
    "Channel": "channels",
    "JobStore": "training.history.job_store",
    "PipeModeDataset": "pipe_mode_dataset",
    "PrefetchConfig": "prefetch_config",
    "Prefetcher": "prefetcher",
    "ShuffleConfig": "training_input",
    "TensorFlow": "training.estimator",
    "TrainingInput": "training_input",
    "TrainingJob": "training.job",
    "TrainingJobAnalytics": "training.history.analytics",
    "TransformJob": "transform.job",
    "Transformer": "transform.transformer",
    "parse_recordio_protobuf": "recordio_protobuf",
}


def __getattr__(name: str) -> Any:
    """Imports a public name from its module when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
