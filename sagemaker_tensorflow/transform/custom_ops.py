"""Ops that a SavedModel needs and TensorFlow itself has not.

A SavedModel is a graph of ops by name. Those of other packages are known once their package has
been imported; for the packages that publish models with ops of their own, that is done here.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from sagemaker_tensorflow.errors import DataLossError, PipeModeDatasetException

_log = logging.getLogger(__name__)

# By what their names begin with, in tensorflow_decision_forests 1.8.1, tensorflow_text 2.15 and the
# namespaces that the others registered (https://github.com/tensorflow/addons, .../io).
_PACKAGES = {
    "SimpleML": "tensorflow_decision_forests",
    "TFText>": "tensorflow_text",
    "CaseFoldUTF8": "tensorflow_text",
    "ConstrainedSequence": "tensorflow_text",
    "FastBertNormalize": "tensorflow_text",
    "FastWordpiece": "tensorflow_text",
    "FindSourceOffsets": "tensorflow_text",
    "NormalizeUTF8": "tensorflow_text",
    "PhraseTokenize": "tensorflow_text",
    "RegexSplit": "tensorflow_text",
    "SentenceFragments": "tensorflow_text",
    "Sentencepiece": "tensorflow_text",
    "SplitMergeTokenize": "tensorflow_text",
    "TokenizerFromLogits": "tensorflow_text",
    "UnicodeScriptTokenize": "tensorflow_text",
    "WhitespaceTokenize": "tensorflow_text",
    "WordpieceTokenize": "tensorflow_text",
    "Addons>": "tensorflow_addons",
    "IO>": "tensorflow_io",
}


def ops_of(meta_graph: Any) -> frozenset[str]:
    """The names of all ops in a ``MetaGraphDef``, also those within its functions."""
    graph = meta_graph.graph_def
    functions = {function.signature.name for function in graph.library.function}
    return frozenset(_nodes_ops(graph)) - functions  # older graphs call functions as if ops


def _nodes_ops(graph: Any) -> Iterator[str]:
    yield from (node.op for node in graph.node)
    for function in graph.library.function:
        yield from (node.op for node in function.node_def)


@contextlib.contextmanager
def known_ops(ops: Iterable[str], path: Path) -> Iterator[None]:
    """Imports the packages of those ops that are not known yet; the block is to load the model.

    Args:
        ops: Of a model.
        path: Of the model, for the error.

    Raises:
        DataLossError: The block has failed, and ops are missing; names them, and the package where
            that is known. Not at once, as TensorFlow may register more of its own while it loads.
    """
    packages = {package for op in _missing(ops) if (package := _package_of(op)) is not None}
    problems = {package: _problem_of(package) for package in packages}
    try:
        yield
    except PipeModeDatasetException as error:
        left = _missing(ops)
        if not left:
            raise
        raise DataLossError(
            f"model {path} needs ops that TensorFlow {tf.__version__} has not: {', '.join(left)}; "
            + _advice(left, problems)
        ) from error


def _missing(ops: Iterable[str]) -> list[str]:
    return sorted(op for op in ops if op_def_registry.get(op) is None)


def _package_of(op: str) -> str | None:
    return next((package for begin, package in _PACKAGES.items() if op.startswith(begin)), None)


def _problem_of(package: str) -> str:
    """Imports it. Why that was in vain, or ""."""
    try:
        importlib.import_module(package)
    except Exception as error:  # one for another TensorFlow may raise anything
        return f"{type(error).__name__}: {' '.join(str(error).split())}"
    _log.info("imported %s, whose ops the model needs", package)
    return ""


def _advice(left: list[str], problems: dict[str, str]) -> str:
    advice = [
        f"install the release of {package} that is for this TensorFlow"
        + (f" (importing it: {problem})" if problem else " (another one is installed)")
        for package, problem in sorted(problems.items())
        if any(_package_of(op) == package for op in left)
    ]
    if any(_package_of(op) is None for op in left):
        advice.append(
            "import what registers them in a Python program that runs the job, with "
            "sagemaker_tensorflow.Transformer"
        )
    return "; ".join(advice)
