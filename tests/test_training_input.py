from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sagemaker_tensorflow.channels import as_channels
from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput

URI = "s3://bkt/x"
AUGMENTED: dict[str, Any] = {
    "s3_data_type": "AugmentedManifestFile",
    "attribute_names": ["source-ref", "label"],
}


def test_defaults() -> None:
    given = TrainingInput(URI)
    assert given.location == S3Location("bkt", "x")
    assert (given.distribution, given.s3_data_type) == ("FullyReplicated", "S3Prefix")
    assert not given.sharded
    assert given.attributes == ()
    assert given.pipes_per_channel == 1


def test_none_is_the_default_in_either_spelling() -> None:
    plain = TrainingInput(URI)
    assert TrainingInput(URI, compression="None", record_wrapping="None") == plain
    assert TrainingInput(URI, distribution=None, s3_data_type=None) == plain
    assert TrainingInput(URI, attribute_names=[]) == plain
    assert TrainingInput(URI, input_mode="Pipe").location == plain.location


def test_arguments_of_the_sdk() -> None:
    given = TrainingInput(
        s3_data=URI,
        distribution="ShardedByS3Key",
        compression="Gzip",
        content_type="text/csv",
        record_wrapping="RecordIO",
        s3_data_type="ManifestFile",
        input_mode="Pipe",
        shuffle_config=ShuffleConfig(seed=7),
    )
    assert given.sharded
    assert (given.compression, given.record_wrapping) == ("Gzip", "RecordIO")


def test_is_frozen_and_hashable() -> None:
    given = TrainingInput(URI, **AUGMENTED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.s3_data = "s3://other/x"  # type: ignore[misc]
    assert given.attributes == ("source-ref", "label")
    assert len({given, TrainingInput(URI, **AUGMENTED)}) == 1


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("distribution", "Sharded", "FullyReplicated or ShardedByS3Key"),
        ("distribution", "None", "FullyReplicated or ShardedByS3Key"),
        ("compression", "gzip", "None or Gzip"),
        ("record_wrapping", True, "None or RecordIO"),
        ("s3_data_type", "Converse", "S3Prefix or ManifestFile or AugmentedManifestFile"),
        ("input_mode", "pipe", "Pipe or File or FastFile"),
    ],
)
def test_bad_value_names_field_value_and_allowed(field: str, value: Any, allowed: str) -> None:
    with pytest.raises(InvalidArgumentError) as raised:
        TrainingInput(URI, **{field: value})
    assert str(raised.value) == f"{field}={value!r} is not allowed: give {allowed}"


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_a_prefetcher_takes_no_other_mode_and_says_what_to_do(mode: str) -> None:
    given = TrainingInput(URI, input_mode=mode)
    with pytest.raises(InvalidArgumentError, match=f"input_mode='{mode}'.*Use Pipe; or copy"):
        as_channels({"train": given})
    with pytest.raises(InvalidArgumentError, match=f"input_mode='{mode}': there are no pipes"):
        TrainingInput(URI, input_mode=mode, pipes_per_channel=2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"s3_data_type": "AugmentedManifestFile"}, "needs attribute_names"),
        ({"attribute_names": ["a"]}, "nothing else has them"),
        ({**AUGMENTED, "attribute_names": "label"}, "give a list"),
        ({**AUGMENTED, "attribute_names": [1]}, "give a list"),
        ({**AUGMENTED, "attribute_names": ["a"] * 17}, "17 names, at most 16"),
        ({**AUGMENTED, "attribute_names": [""]}, "'' has 0 characters"),
        ({**AUGMENTED, "attribute_names": ["x" * 257]}, "257 characters"),
        ({**AUGMENTED, "compression": "Gzip"}, "values of label stand in the manifest"),
        ({"pipes_per_channel": 0}, r"pipes_per_channel=0 is not in \[1, 64\]"),
        ({"pipes_per_channel": 65}, "pipes_per_channel=65"),
        ({"pipes_per_channel": True}, "pipes_per_channel=True"),
        ({"shuffle_config": 7}, r"give a ShuffleConfig"),
        ({"content_type": 7}, "content_type=7"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=says):
        TrainingInput(URI, **options)


def test_gzip_objects_of_an_augmented_manifest() -> None:
    options = {**AUGMENTED, "attribute_names": ["a-ref", "b-ref"]}
    assert TrainingInput(URI, compression="Gzip", **options).compression == "Gzip"


@pytest.mark.parametrize("uri", ["s3://bkt", "s3://bkt/", "s3://bkt/folder/"])
@pytest.mark.parametrize("options", [{"s3_data_type": "ManifestFile"}, AUGMENTED])
def test_manifest_is_an_object(uri: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError, match="give the key of the manifest"):
        TrainingInput(uri, **options)
    assert TrainingInput("/folder/manifest", **options)


@pytest.mark.parametrize("uri", ["", "gs://bkt/x", None, 7])
def test_bad_uri(uri: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        TrainingInput(uri)


@pytest.mark.parametrize("seed", [0, -(2**63), 2**63 - 1])
def test_seeds_are_longs(seed: int) -> None:
    assert ShuffleConfig(seed).seed == seed


@pytest.mark.parametrize("seed", [2**63, -(2**63) - 1, 1.0, "1", None, True])
def test_bad_seed(seed: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="seed="):
        ShuffleConfig(seed)
