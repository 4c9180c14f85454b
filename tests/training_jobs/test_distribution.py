from __future__ import annotations

import json
from typing import Any

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.training.distribution import (
    HostAddress,
    distribution_hyperparameters,
    requested_distribution,
    tf_configs,
)
from sagemaker_tensorflow.training.hyperparameters import encoded

MIRRORED = {"multi_worker_mirrored_strategy": {"enabled": True}}
SERVERS = {"parameter_server": {"enabled": True}}
ADDRESSES = [HostAddress("10.0.0.1", 1, 2), HostAddress("10.0.0.2", 3, 4)]


@pytest.mark.parametrize(
    ("distribution", "name"),
    [
        (None, ""),
        ({"parameter_server": {"enabled": False}}, ""),
        (MIRRORED, "multi_worker_mirrored_strategy"),
        (SERVERS, "parameter_server"),
    ],
)
def test_what_the_sdk_asks_for(distribution: dict[str, Any] | None, name: str) -> None:
    assert requested_distribution(encoded(distribution_hyperparameters(distribution))) == name


@pytest.mark.parametrize(
    ("distribution", "says"),
    [
        ({"mpi": {"enabled": True}}, "is not done by this runner; there are multi_worker"),
        ({"smdistributed": {"dataparallel": {"enabled": True}}}, "is not done by this runner"),
        ({"parameter_server": True}, "give {'enabled': True}"),
    ],
)
def test_what_is_refused(distribution: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        distribution_hyperparameters(distribution)
    assert says in str(raised.value)


def test_both_are_refused() -> None:
    both = encoded(distribution_hyperparameters({**MIRRORED, **SERVERS}))
    with pytest.raises(InvalidArgumentError, match="exclude each other"):
        requested_distribution(both)


def test_workers_of_a_mirrored_strategy() -> None:
    config = tf_configs("multi_worker_mirrored_strategy", ADDRESSES, 1)
    assert json.loads(config.script) == {
        "cluster": {"worker": ["10.0.0.1:1", "10.0.0.2:3"]},
        "task": {"type": "worker", "index": 1},
        "environment": "cloud",
    }
    assert config.parameter_server == ""


def test_a_master_workers_and_parameter_servers() -> None:
    cluster = {
        "master": ["10.0.0.1:1"],
        "worker": ["10.0.0.2:3"],
        "ps": ["10.0.0.1:2", "10.0.0.2:4"],
    }
    tasks = []
    for index in range(2):
        configs = tf_configs("parameter_server", ADDRESSES, index)
        for text in (configs.script, configs.parameter_server):
            config = json.loads(text)
            assert config["cluster"] == cluster
            tasks.append((config["task"]["type"], config["task"]["index"]))
    assert tasks == [("master", 0), ("ps", 0), ("worker", 0), ("ps", 1)]


def test_one_host_needs_no_parameter_server() -> None:
    assert tf_configs("parameter_server", ADDRESSES[:1], 0).script == ""
    assert tf_configs("", ADDRESSES, 0).script == ""
