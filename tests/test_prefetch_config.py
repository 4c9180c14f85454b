from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.prefetch_config import PrefetchConfig

MIB = 1 << 20


def test_defaults_stand() -> None:
    config = PrefetchConfig()
    assert (config.connections, config.part_bytes, config.memory_bytes) == (None, None, 512 * MIB)
    assert (config.engine_connections, config.engine_part_bytes) == (0, 0)
    assert (config.hedging, config.checksums, config.cache_dir) == (True, True, None)


def test_given_numbers_are_the_engines() -> None:
    config = PrefetchConfig(connections=3, part_bytes=MIB)
    assert (config.engine_connections, config.engine_part_bytes) == (3, MIB)


def test_with_a_cache_parts_have_one_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = PrefetchConfig(cache_dir="cache")
    assert config.engine_part_bytes == 8 * MIB
    assert PrefetchConfig(cache_dir="cache", part_bytes=MIB).engine_part_bytes == MIB
    assert config.cache_dir == str(tmp_path / "cache")
    with pytest.raises(InvalidArgumentError, match="does not hold two"):
        PrefetchConfig(cache_dir="cache", memory_bytes=15 * MIB)


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        PrefetchConfig().connections = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "numbers",
    [
        {"connections": 0},
        {"connections": 257},
        {"part_bytes": 65535},
        {"first_part_bytes": 0},
        {"memory_bytes": 0},
        {"retry_seconds": -1.0},
        {"retry_seconds": float("nan")},
        {"retry_tries": 0},
        {"stall_seconds": 0.5},
        {"cache_bytes": 0},
    ],
)
def test_out_of_bounds_names_number_and_bounds(numbers: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"{next(iter(numbers))}=.* is not in \["):
        PrefetchConfig(**numbers)


@pytest.mark.parametrize(
    "numbers",
    [
        {"connections": 2.5},
        {"connections": True},
        {"retry_seconds": "1"},
        {"memory_bytes": None},
        {"hedging": 1},
        {"checksums": None},
    ],
)
def test_wrong_type(numbers: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{next(iter(numbers))}="):
        PrefetchConfig(**numbers)


def test_whole_numbers_do_for_seconds() -> None:
    assert PrefetchConfig(retry_seconds=5).retry_seconds == 5


def test_memory_must_hold_two_parts_of_every_pipe() -> None:
    with pytest.raises(InvalidArgumentError, match="memory_bytes"):
        PrefetchConfig(part_bytes=8 * MIB, memory_bytes=15 * MIB)
    config = PrefetchConfig(part_bytes=8 * MIB, memory_bytes=32 * MIB)
    assert config.memory_share(2) == 16 * MIB
    with pytest.raises(InvalidArgumentError, match="over 3 pipe"):
        config.memory_share(3)


def test_memory_while_the_engine_chooses_parts() -> None:
    assert PrefetchConfig(memory_bytes=4 * MIB).memory_share(4) == MIB
    with pytest.raises(InvalidArgumentError, match="over 5 pipe"):
        PrefetchConfig(memory_bytes=4 * MIB).memory_share(5)


def test_json_there_and_back() -> None:
    config = PrefetchConfig(connections=3, retry_seconds=1.5, hedging=False, cache_dir="/x")
    assert PrefetchConfig.from_json(json.loads(json.dumps(config.to_json()))) == config
    assert PrefetchConfig.from_json({"connections": 3}) == PrefetchConfig(connections=3)


def test_unknown_number() -> None:
    with pytest.raises(InvalidArgumentError, match="conections"):
        PrefetchConfig.from_json({"conections": 3})
