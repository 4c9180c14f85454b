"""Lines, RecordIO and odd objects, from S3 through the prefetcher into the dataset."""

from __future__ import annotations

import gzip
import struct
from concurrent.futures import ThreadPoolExecutor

import boto3

from sagemaker_tensorflow import PrefetchConfig, Prefetcher
from tests.conftest import PutObjects
from tests.record_samples import MAGIC, encode, some_records
from tests.roads import OpenRoad, stats
from tests.training.conftest import numbered, open_dataset, read

# Parts that end in the middle of everything.
CHOPPED = PrefetchConfig(part_bytes=64 << 10, first_part_bytes=4 << 10, memory_bytes=1 << 20)


def cut(stream: bytes, *places: int) -> dict[str, bytes]:
    """Objects whose concatenation is the stream, cut at these places."""
    ends = [*places, len(stream)]
    begins = [0, *places]
    return {
        f"part-{i:05}": stream[begin:end]
        for i, (begin, end) in enumerate(zip(begins, ends, strict=True))
    }


def test_lines_across_objects(open_road: OpenRoad, put_objects: PutObjects) -> None:
    """Objects follow each other with nothing between, as on SageMaker, so a line goes on."""
    uri = put_objects(
        {
            "1": b"one\ntwo\r\nthr",
            "2": b"ee",
            "3": b"\n\nfive\n",
            "4": b"six",  # no newline: glued to the next object's first line
            "5": b"seven\n" + b"long" * 100_000,
        }
    )
    lines = [b"one", b"two\r", b"three", b"", b"five", b"sixseven", b"long" * 100_000]
    with open_road(uri, CHOPPED) as road:
        assert read(road.dataset("TextLine")) == lines
        stripped = road.dataset("TextLine", strip_carriage_return=True)
        assert read(stripped) == [b"one", b"two", *lines[2:]]


def test_records_across_objects(open_road: OpenRoad, put_objects: PutObjects) -> None:
    """Cuts in a header, in a payload, between records, and empty objects in all places."""
    records = numbered(200)
    stream = encode("TFRecord", records)
    header, payload = len(encode("TFRecord", records[:50])) + 5, len(stream) // 2
    between = len(encode("TFRecord", records[:150]))
    uri = put_objects(cut(stream, 0, header, header, payload, between, between, len(stream)))
    with open_road(uri, CHOPPED) as road:
        for _ in range(2):
            assert read(road.dataset()) == records
        assert stats(road).listed_objects == 8


def parts(*pieces: bytes) -> bytes:
    """One RecordIO record in several parts: the first has flag 1, the last 3, others 2.

    Between two parts stands the magic that was cut out of the payload.
    """
    flags = [1, *[2] * (len(pieces) - 2), 3]
    return b"".join(
        MAGIC + struct.pack("<I", flag << 29 | len(piece)) + piece + bytes(-len(piece) % 4)
        for flag, piece in zip(flags, pieces, strict=True)
    )


def test_recordio_in_parts(open_road: OpenRoad, put_objects: PutObjects) -> None:
    records = some_records("RecordIO")
    by_hand = [b"abcd" + MAGIC + b"efgh" + MAGIC + b"i", b"x" * 4000 + MAGIC]
    stream = encode("RecordIO", records) + parts(b"abcd", b"efgh", b"i") + parts(b"x" * 4000, b"")
    uri = put_objects(cut(stream, 2, len(stream) // 3, len(stream) - 7))
    with open_road(uri, CHOPPED) as road:
        assert read(road.dataset("RecordIO")) == [*records, *by_hand]
        batches = read(road.dataset("RecordIO", batch_size=4))
        assert [record for batch in batches for record in batch] == [*records, *by_hand]


def test_gzip_object_passes_as_it_is(bucket: str) -> None:
    """S3 keeps Content-Encoding with an object; nothing on the way may act on it."""
    compressed = gzip.compress(b"text\n" * 100_000, mtime=0)
    boto3.client("s3").put_object(
        Bucket=bucket, Key="x.gz", Body=compressed, ContentEncoding="gzip"
    )
    with Prefetcher({"train": f"s3://{bucket}/x.gz"}) as feed:
        lines = read(open_dataset(feed, record_format="TextLine"))
    assert b"\n".join(lines) == compressed.removesuffix(b"\n")


def test_thousands_of_tiny_objects_in_order(bucket: str) -> None:
    """Three pages of the listing. Every other object is empty, which costs no request."""
    client = boto3.client("s3")
    records = [b"%d" % i for i in range(1500)]

    def put(i: int) -> None:
        body = b"" if i % 2 else encode("TFRecord", [records[i // 2]])
        client.put_object(Bucket=bucket, Key=f"{i:05}", Body=body)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(put, range(3000)))
    with Prefetcher({"train": f"s3://{bucket}"}) as feed:
        assert read(open_dataset(feed)) == records
        stats = feed.stats()["train"]
    assert stats.listed_objects == 3000
    assert stats.objects == 3000
