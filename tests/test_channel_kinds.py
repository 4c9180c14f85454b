"""Every kind of channel, from where its objects lie to the bytes in its pipes."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from sagemaker_tensorflow.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from sagemaker_tensorflow.prefetch_config import PrefetchConfig
from sagemaker_tensorflow.prefetcher import Prefetcher
from sagemaker_tensorflow.training_input import ShuffleConfig, TrainingInput
from tests.conftest import FOLDER_BYTES, PutObjects
from tests.pipes import outcome, read_epoch, wait_until

Put = Callable[[dict[str, bytes]], str]


@pytest.fixture(params=["s3", "local"])
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Put:
    """Puts objects into a bucket or a folder; returns what their names begin with."""
    if request.param == "s3":
        put_objects: PutObjects = request.getfixturevalue("put_objects")
        return lambda objects: f"{put_objects(objects)}/"
    root = tmp_path / "root"

    def put_files(objects: dict[str, bytes]) -> str:
        for name, body in objects.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(body)
        return f"{root.as_uri()}/"

    return put_files


def epochs(given: TrainingInput, count: int = 1, **options: Any) -> list[bytes]:
    with Prefetcher({"train": given}, **options) as feed:
        return [read_epoch(feed.dirs["pipe_dir"], "train", epoch) for epoch in range(count)]


def recordio(payloads: Sequence[bytes]) -> bytes:
    """Records as MXNet frames them: magic, length, payload, padding to 4."""
    return b"".join(
        (0xCED7230A).to_bytes(4, "little")
        + len(payload).to_bytes(4, "little")
        + payload
        + bytes(-len(payload) % 4)
        for payload in payloads
    )


def manifest(prefix: str, names: Sequence[str]) -> bytes:
    return json.dumps([{"prefix": prefix}, *names]).encode()


def json_lines(lines: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


# Names


def test_manifest_keeps_its_order_and_duplicates(put: Put) -> None:
    root = put({"a b": b"one", "sub/c": b"two", "d": b"three", "unnamed": b"no"})
    names = ["sub/c", "a b", "d", "a b"]
    if root.startswith("file:"):
        names = [name.replace(" ", "%20") for name in names]
    put({"lists/m": manifest(root, names)})
    given = TrainingInput(f"{root}lists/m", s3_data_type="ManifestFile")
    assert epochs(given, 2) == [b"twoonethreeone"] * 2


def test_long_manifest_comes_in_pages(put: Put) -> None:
    root = put({f"x/{n}": b"%d," % n for n in range(100)})
    order = [n % 100 for n in range(0, 7 * 300, 7)]
    put({"m": manifest(f"{root}x/", [str(n) for n in order])})
    given = TrainingInput(f"{root}m", s3_data_type="ManifestFile")
    assert epochs(given) == [b"".join(b"%d," % n for n in order)]


@pytest.mark.parametrize("missing", [1, 25])
def test_manifest_names_what_is_missing(put: Put, missing: int) -> None:
    root = put({"there": b"x"})
    names = ["there", *(f"gone-{n}" for n in range(missing)), "there"]
    put({"m": manifest(root, names)})
    with pytest.raises(NotFoundError) as raised:
        epochs(TrainingInput(f"{root}m", s3_data_type="ManifestFile"))
    message = str(raised.value)
    assert "names objects that are not there" in message
    assert all(f"gone-{n}" in message for n in range(min(missing, 20)))
    assert ("and" in message.rpartition("gone")[2]) == (missing > 20)


def test_missing_far_behind_is_the_epochs_error(put: Put) -> None:
    root = put({"there": b"x"})
    put({"m": manifest(root, ["there"] * 16 + ["there"] * 30 + ["gone"])})
    given = TrainingInput(f"{root}m", s3_data_type="ManifestFile")
    with Prefetcher({"train": given}) as feed:
        read_epoch(feed.dirs["pipe_dir"], "train", 0)
        ended = outcome(feed.dirs["pipe_dir"], "train", 0)
    assert ended["error"]["kind"] == "NotFound"
    assert "gone" in ended["error"]["message"]


def test_manifest_that_is_none(put: Put) -> None:
    root = put({"m": b"not a manifest"})
    with pytest.raises(InvalidArgumentError, match="m is not JSON"):
        epochs(TrainingInput(f"{root}m", s3_data_type="ManifestFile"))
    with pytest.raises(NotFoundError, match="nothing"):
        epochs(TrainingInput(f"{root}nothing", s3_data_type="ManifestFile"))


LABELS = [3, "cat", {"a": [1]}, None]
LABEL_TEXTS = [b"3", b'"cat"', b'{"a":[1]}', b"null"]


def augmented(put: Put, **options: Any) -> TrainingInput:
    """Four lines, each with an image and a label."""
    root = put({f"{n}.jpg": b"image%d" % n for n in range(4)})
    lines = [
        {"label": label, "other": 1, "image-ref": f"{root}{n}.jpg"}
        for n, label in enumerate(LABELS)
    ]
    put({"lines": json_lines(lines)})
    options = {"attribute_names": ["image-ref", "label"], **options}
    return TrainingInput(f"{root}lines", s3_data_type="AugmentedManifestFile", **options)


def test_augmented_manifest(put: Put) -> None:
    plain = b"".join(b"image%d%s" % (n, text) for n, text in enumerate(LABEL_TEXTS))
    assert epochs(augmented(put), 2) == [plain] * 2


def test_augmented_manifest_in_records(put: Put) -> None:
    wrapped = [part for n, text in enumerate(LABEL_TEXTS) for part in (b"image%d" % n, text)]
    assert epochs(augmented(put, record_wrapping="RecordIO")) == [recordio(wrapped)]


def test_shuffled_lines_stay_together(put: Put) -> None:
    shuffled = epochs(augmented(put, shuffle_config=ShuffleConfig(5)), 6)
    lines = [b"image%d%s" % (n, text) for n, text in enumerate(LABEL_TEXTS)]
    for epoch in shuffled:
        assert Counter(line for line in lines if line in epoch) == Counter(lines)
        assert len(epoch) == sum(map(len, lines))
    assert len(set(shuffled)) > 1


def test_augmented_manifest_over_several_buckets(put_objects: PutObjects, bucket: str) -> None:
    client = boto3.client("s3")
    other = f"{bucket}-other"
    client.create_bucket(Bucket=other)
    client.put_object(Bucket=other, Key="y", Body=b"theirs")
    uri = put_objects({"x": b"ours"})
    lines = [{"a-ref": f"s3://{b}/{key}"} for b, key in [(other, "y"), (bucket, "x")] * 20]
    put_objects({"lines": json_lines(lines)})
    given = TrainingInput(
        f"{uri}/lines", s3_data_type="AugmentedManifestFile", attribute_names=["a-ref"]
    )
    assert epochs(given) == [b"theirsours" * 20]


def test_local_lines_refer_to_s3_and_files(put_objects: PutObjects, tmp_path: Path) -> None:
    uri = put_objects({"x": b"far"})
    (tmp_path / "near").write_bytes(b"near")
    lines = [{"a-ref": "near", "b-ref": f"{uri}/x"}]
    (tmp_path / "lines").write_bytes(json_lines(lines))
    given = TrainingInput(
        str(tmp_path / "lines"),
        s3_data_type="AugmentedManifestFile",
        attribute_names=["b-ref", "a-ref"],
    )
    assert epochs(given) == [b"farnear"]


@pytest.mark.parametrize(
    ("lines", "kind", "says"),
    [
        ([{"label": 1}, {"lable": 1}], InvalidArgumentError, "line 2 has no attribute 'label'"),
        ([], NotFoundError, "lines is empty"),
    ],
)
def test_augmented_manifest_that_is_wrong(
    put: Put, lines: list[dict[str, Any]], kind: type[Exception], says: str
) -> None:
    root = put({"lines": json_lines(lines)})
    given = TrainingInput(
        f"{root}lines", s3_data_type="AugmentedManifestFile", attribute_names=["label"]
    )
    with pytest.raises(kind, match=says):
        epochs(given)


def test_line_that_refers_to_nothing(put: Put) -> None:
    root = put({"a": b"x"})
    lines = [{"a-ref": f"{root}a"}, {"a-ref": f"{root}gone"}]
    put({"lines": json_lines(lines)})
    given = TrainingInput(
        f"{root}lines", s3_data_type="AugmentedManifestFile", attribute_names=["a-ref"]
    )
    with pytest.raises(NotFoundError, match=r"line 2: .*gone"):
        epochs(given)


# Encodings


def test_gzip_of_several_members(put: Put) -> None:
    text = random.Random(1).randbytes(300_000)
    root = put({"x/1": gzip.compress(text) + gzip.compress(b"more"), "x/2": gzip.compress(b"")})
    assert epochs(TrainingInput(f"{root}x/", compression="Gzip"), 2) == [text + b"more"] * 2


def test_recordio_around_each_object(put: Put) -> None:
    bodies = [b"12345", b"", bytes(range(256)) * 2000]
    root = put({f"x/{n}": body for n, body in enumerate(bodies)})
    given = TrainingInput(f"{root}x/", record_wrapping="RecordIO")
    assert epochs(given) == [recordio(bodies)]


def test_recordio_around_what_was_compressed(put: Put) -> None:
    root = put({f"x/{n}": gzip.compress(b"body%d" % n) for n in range(3)})
    given = TrainingInput(f"{root}x/", record_wrapping="RecordIO", compression="Gzip")
    assert epochs(given) == [recordio([b"body0", b"body1", b"body2"])]


def test_what_is_not_gzip_is_the_epochs_error(put: Put) -> None:
    root = put({"x": b"plain text"})
    with Prefetcher({"train": TrainingInput(f"{root}x", compression="Gzip")}) as feed:
        read_epoch(feed.dirs["pipe_dir"], "train", 0)
        ended = outcome(feed.dirs["pipe_dir"], "train", 0)
    assert ended["error"]["kind"] in ("DataLoss", "InvalidArgument")


# Orders and shards


def numbered(put: Put, count: int) -> str:
    """Objects whose bytes are their numbers, a byte each."""
    return put({f"x/{n:03}": bytes([n]) for n in range(count)}) + "x/"


def test_shuffled_epochs_differ_and_can_be_repeated(put: Put) -> None:
    root = numbered(put, 50)
    first = epochs(TrainingInput(root, shuffle_config=ShuffleConfig(7)), 3)
    assert all(sorted(epoch) == list(range(50)) for epoch in first)
    assert len({*first, bytes(range(50))}) == 4
    assert epochs(TrainingInput(root, shuffle_config=ShuffleConfig(7)), 3) == first
    assert epochs(TrainingInput(root, shuffle_config=ShuffleConfig(-7)), 3) != first


@pytest.mark.parametrize("shuffle", [None, ShuffleConfig(3)])
def test_hosts_share_a_channel(put: Put, shuffle: ShuffleConfig | None) -> None:
    root = numbered(put, 10)
    hosts = ["algo-1", "algo-2", "algo-3"]
    given = TrainingInput(root, distribution="ShardedByS3Key", shuffle_config=shuffle)
    shares = [epochs(given, 2, hosts=hosts, current_host=host) for host in hosts]
    for epoch in range(2):
        parts = [share[epoch] for share in shares]
        assert sorted(b"".join(parts)) == list(range(10))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(share[0] == share[1] for share in shares) == (shuffle is None)


def test_replicated_channel_is_whole_on_every_host(put: Put) -> None:
    given = TrainingInput(numbered(put, 10))
    whole = epochs(given, hosts=["a", "b"], current_host="b")
    assert whole == [bytes(range(10))]


@pytest.mark.parametrize("hosts", [1, 2])
def test_several_pipes_hold_the_channel_once(put: Put, hosts: int) -> None:
    root = numbered(put, 23)
    names = [f"algo-{n}" for n in range(hosts)]
    given = TrainingInput(root, distribution="ShardedByS3Key", pipes_per_channel=3)
    parts = []
    for name in names:
        with Prefetcher({"train": given}, hosts=names, current_host=name) as feed:
            assert set(feed.stats()) == {"train-0", "train-1", "train-2"}
            config = json.loads(Path(feed.dirs["config_dir"], "inputdataconfig.json").read_text())
            assert set(config) == set(feed.stats())
            assert config["train-1"]["S3DistributionType"] == "ShardedByS3Key"
            parts += [read_epoch(feed.dirs["pipe_dir"], f"train-{k}", 0) for k in range(3)]
    assert sorted(b"".join(parts)) == list(range(23))
    assert {len(part) for part in parts} <= {23 // len(parts), 23 // len(parts) + 1}


def test_pipe_that_is_fed_already(folder: Path, tmp_path: Path) -> None:
    pipe_dir = tmp_path / "pipes"
    with Prefetcher({"train-1": str(folder)}, pipe_dir=pipe_dir):
        given = TrainingInput(str(folder), pipes_per_channel=2)
        with pytest.raises(FailedPreconditionError, match="train-1"):
            Prefetcher({"train": given}, pipe_dir=pipe_dir).start()
        assert read_epoch(pipe_dir, "train-1", 0) == FOLDER_BYTES
        assert not (pipe_dir / "train-0_0").exists()


def test_more_hosts_than_objects(put: Put, capfd: pytest.CaptureFixture[str]) -> None:
    root = numbered(put, 2)
    hosts = ["a", "b", "c"]
    given = TrainingInput(root, distribution="ShardedByS3Key")
    shares = [epochs(given, 2, hosts=hosts, current_host=host) for host in hosts]
    for epoch in range(2):
        assert sorted(share[epoch] for share in shares) == [b"", b"\x00", b"\x01"]
    assert "2 objects or lines are dealt to 3 shards" in capfd.readouterr().err


# What else a prefix is


def test_prefix_that_matches_a_sibling_is_warned_of(
    put_objects: PutObjects, bucket: str, capfd: pytest.CaptureFixture[str]
) -> None:
    uri = put_objects({"train/1": b"1", "training/2": b"2"})
    with Prefetcher({"train": f"{uri}/train"}) as feed:
        assert read_epoch(feed.dirs["pipe_dir"], "train", 0) == b"12"
        said = []
        wait_until(
            lambda: bool(said.append(capfd.readouterr().err)) or "training" in "".join(said),
            "the warning",
        )
    text = "".join(said) + capfd.readouterr().err
    assert text.count("also matches") == 1
    assert f"{uri}/train also matches {uri}/training" in text


def test_long_prefix_goes_on_where_the_first_page_ends(put_objects: PutObjects) -> None:
    uri = put_objects({f"x/{n:04}": b"%04d" % n for n in range(1010)})
    assert epochs(TrainingInput(f"{uri}/x/")) == [b"".join(b"%04d" % n for n in range(1010))]


@pytest.mark.parametrize("kind", ["prefix", "manifest", "lines"])
def test_cached_epochs(put_objects: PutObjects, tmp_path: Path, kind: str) -> None:
    body = random.Random(2).randbytes(3 << 20)
    uri = put_objects({"x/1": body, "x/2": b"small"})
    put_objects({"m": manifest(f"{uri}/x/", ["1", "2"])})
    put_objects({"lines": json_lines([{"a-ref": f"{uri}/x/{n}", "b": n} for n in (1, 2)])})
    given = {
        "prefix": TrainingInput(f"{uri}/x/"),
        "manifest": TrainingInput(f"{uri}/m", s3_data_type="ManifestFile"),
        "lines": TrainingInput(
            f"{uri}/lines", s3_data_type="AugmentedManifestFile", attribute_names=["a-ref"]
        ),
    }[kind]
    config = PrefetchConfig(cache_dir=str(tmp_path / "cache"), part_bytes=1 << 20)
    assert epochs(given, 3, config=config) == [body + b"small"] * 3
    cached = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert cached > len(body)
