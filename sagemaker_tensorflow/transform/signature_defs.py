"""The signatures of a SavedModel as its file lists them, without loading the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf import text_format  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorflow.core.protobuf import saved_model_pb2

from sagemaker_tensorflow.errors import DataLossError, InvalidArgumentError
from sagemaker_tensorflow.transform.custom_ops import ops_of
from sagemaker_tensorflow.transform.signatures import Signature, TensorSpec
from sagemaker_tensorflow.transform.tensor_specs import spec_of

# What the graph with the signatures is tagged with; TF 1 also exported others beside it, for
# training, or for other devices with a second tag.
_SERVE = "serve"
# Entries of the map that are no signatures: __saved_model_init_op, __saved_model_train_op.
_INTERNAL = "__saved_model"


@dataclass(frozen=True)
class SignatureDefs:
    """The signatures of the graph that serves.

    Attributes:
        path: The SavedModel's folder.
        tags: Of the graph; None when there is only one.
        by_name: ``SignatureDef`` messages.
        ops: The names of all ops in it.
    """

    path: Path
    tags: tuple[str, ...] | None
    by_name: Mapping[str, Any]
    ops: frozenset[str]

    def choose(self, name: str) -> Any:
        """The ``SignatureDef`` of that name.

        Raises:
            InvalidArgumentError: There is none; names those that are there.
        """
        if name in self.by_name:
            return self.by_name[name]
        if not self.by_name:
            raise InvalidArgumentError(
                f"model {self.path} has no signatures; export it with tf.saved_model.save(model, "
                "folder, signatures=...) or Keras's model.export(folder)"
            )
        raise InvalidArgumentError(
            f"model {self.path} has no signature {name!r}; it has "
            f"{', '.join(map(repr, sorted(self.by_name)))}: choose with signature=, or --signature"
        )

    def signature(self, name: str) -> Signature:
        """The signature of that name.

        Raises:
            InvalidArgumentError: There is none, or it has tensors that are no arrays.
        """
        chosen = self.choose(name)
        return Signature(name, _specs(chosen.inputs), _specs(chosen.outputs))


def read_signature_defs(path: Path) -> SignatureDefs:
    """Reads them from ``saved_model.pb`` or ``saved_model.pbtxt``.

    Raises:
        DataLossError: The file cannot be read or is no SavedModel.
    """
    saved = saved_model_pb2.SavedModel()
    try:
        if (path / "saved_model.pb").is_file():
            saved.ParseFromString((path / "saved_model.pb").read_bytes())
        else:
            text_format.Parse((path / "saved_model.pbtxt").read_text(), saved)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError, OSError) as error:
        raise DataLossError(
            f"model {path} cannot be read: {error}; its saved_model.pb or .pbtxt is damaged or is "
            "none: copy or export the model again"
        ) from error
    graphs = {tuple(sorted(graph.meta_info_def.tags)): graph for graph in saved.meta_graphs}
    serving = sorted((tags for tags in graphs if _SERVE in tags), key=len) or list(graphs)
    if not serving:
        raise DataLossError(f"model {path} cannot be read: it holds no graph")
    tags = serving[0]
    signatures = {
        name: definition
        for name, definition in graphs[tags].signature_def.items()
        if not name.startswith(_INTERNAL)
    }
    chosen = tags if len(graphs) > 1 else None
    return SignatureDefs(path, chosen, signatures, ops_of(graphs[tags]))


def _specs(infos: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    return tuple(_spec(name, infos[name]) for name in sorted(infos))


def _spec(name: str, info: Any) -> TensorSpec:
    if info.WhichOneof("encoding") != "name":
        raise InvalidArgumentError(
            f"tensor {name!r} is sparse or composite, not an array; choose a signature without it"
        )
    return spec_of(name, tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape))
