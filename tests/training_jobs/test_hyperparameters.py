from __future__ import annotations

from sagemaker_tensorflow.training.hyperparameters import (
    decoded,
    encoded,
    of_script,
    script_arguments,
)


def test_values_there_and_back() -> None:
    values = {"epochs": 2, "name": "x", "layers": [1, 2], "none": None, "flag": False}
    assert decoded(encoded(values)) == values


def test_what_is_not_json_is_text() -> None:
    texts = {"optimizer": "adam", "rate": "1e-3", "path": "s3://b/k", "quoted": '"3"'}
    read = {"optimizer": "adam", "rate": 0.001, "path": "s3://b/k", "quoted": "3"}
    assert decoded(texts) == read


def test_what_is_the_containers_is_no_argument() -> None:
    values = {"sagemaker_program": "t.py", "_tuning_objective_metric": "m", "z": 1, "aa": "--b"}
    assert script_arguments(of_script(values)) == ["--aa", "--b", "-z", "1"]
