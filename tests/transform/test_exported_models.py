"""SavedModels that other exporters and other versions of TensorFlow wrote (the folder exported)."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from sagemaker_tensorflow.errors import DataLossError
from sagemaker_tensorflow.transform.custom_ops import known_ops
from sagemaker_tensorflow.transform.model_archives import unpack
from sagemaker_tensorflow.transform.saved_models import describe_signatures, load_model
from tests.record_samples import encode
from tests.transform.whole_jobs import run, write_files

EXPORTED = Path(__file__).parent / "exported"

# XlaCallModule refuses StableHLO that is newer than itself.
TOO_OLD = {
    "jax": pytest.mark.skipif(
        tuple(map(int, tf.__version__.split(".")[:2])) < (2, 21),
        reason="it was written by JAX for TensorFlow 2.21",
    )
}
CASES = [
    pytest.param(name, case, id=f"{name}-{case['signature']}", marks=TOO_OLD.get(name, ()))
    for name in ("estimator", "jax", "keras2")
    for case in json.loads((EXPORTED / f"{name}.json").read_text())
]


def lines_of(outputs: dict[str, Any]) -> list[Any]:
    """What each record gets, of what all of them get; a single output without its name."""
    if len(outputs) == 1:
        return [*next(iter(outputs.values()))]
    return [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]


def same(got: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return set(got) == set(expected) and all(same(got[key], expected[key]) for key in expected)
    if np.asarray(expected).dtype.kind == "U":
        return bool(got == expected)
    return np.allclose(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_job_gives_what_the_exporter_computed(
    name: str, case: dict[str, Any], tmp_path: Path
) -> None:
    if "records" in case:
        body = encode("TFRecord", [base64.b64decode(record) for record in case["records"]])
    else:
        body = "".join(f"{line}\n" for line in case["lines"]).encode()
    source = write_files(tmp_path / "in", {"a": body})
    result = run(
        str(EXPORTED / f"{name}.tar.gz"),
        source,
        tmp_path / "out",
        signature=case["signature"],
        content_type=case["content_type"],
        split_type="TFRecord" if "records" in case else "Line",
        accept="application/jsonlines",
        batch_size=3,
    )
    assert result.status == "Completed", result
    got = [json.loads(line) for line in (tmp_path / "out" / "a.out").read_text().splitlines()]
    expected = lines_of(case["outputs"])
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert same(one, other), (one, other)


def test_models_are_described_without_being_loaded(tmp_path: Path) -> None:
    unpack(EXPORTED / "estimator.tar.gz", tmp_path / "unpacked")
    described = describe_signatures(tmp_path / "unpacked" / "1")
    assert described.startswith("signature classification\n  inputs\n    inputs  string    [?]\n")
    assert "signature predict\n  inputs\n    examples  string    [?]\n" in described
    assert "    probabilities  float32   [?, 3]\n" in described


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow_decision_forests") is not None, reason="it is installed"
)
def test_ops_of_packages_that_are_not_here_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(EXPORTED / "forest.tar.gz", tmp_path / "unpacked")
    model = tmp_path / "unpacked" / "1"
    assert "output_1" in describe_signatures(model)
    advice = r"SimpleMLInferenceOpWithHandle.*; install the release of tensorflow_decision_forests"
    with pytest.raises(DataLossError, match=rf"{advice}.*No module named"):
        load_model(model)
    # One that is for another version.
    (tmp_path / "tensorflow_decision_forests.py").write_text("raise OSError('undefined symbol')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DataLossError, match=rf"{advice}.*OSError: undefined symbol"):
        load_model(model)


def test_ops_of_which_nobody_knows_the_package() -> None:
    told = r"model model needs .*: Nobodys>Op; import what"
    for ops, words in ((["MatMul", "Nobodys>Op"], told), (["MatMul"], "cannot be loaded")):
        with pytest.raises(DataLossError, match=words), known_ops(ops, Path("model")):
            raise DataLossError("it cannot be loaded")
