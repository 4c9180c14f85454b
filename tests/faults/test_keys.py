"""Keys of every shape, in every number."""

from __future__ import annotations

import pytest

from sagemaker_tensorflow.errors import NotFoundError
from sagemaker_tensorflow.prefetcher import Prefetcher
from tests.faults.epochs import PART, check_epoch, digest, fail_epoch, small_parts
from tests.faulty_s3 import Fault, FaultyS3
from tests.pipes import outcome, read_epoch

pytestmark = pytest.mark.timeout(90)

ODD_KEYS = [
    "plain",
    "with space",
    " leading and trailing ",
    "plus+plus",
    "100%",
    "%41%2F",
    "caf\u00e9",
    "cafe\u0301",  # the same to the eye, and another key
    "\u65e5\u672c\u8a9e/\U0001f600",
    "/leading",
    "//two",
    "a//b",
    "trailing/",
    "../up",
    "a/../b",
    "a/./b",
    ".",
    "..",
    "question?x=1&y=2",
    "hash#fragment",
    "semi;colon:comma,",
    "'quotes'\"double\"",
    "<xml>&amp;</xml>",
    "back\\slash",
    "star*[brackets]{braces}|~^`",
    "tab\tand\x01control",
    "x" * 1000,
]


def test_odd_keys(s3: FaultyS3) -> None:
    s3.add({f"data/{key}": 1000 + number for number, key in enumerate(ODD_KEYS)})
    s3.set_faults(Fault("cut", rate=0.2))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
    assert {request.key for request in s3.requests()} == {f"data/{key}" for key in ODD_KEYS}


@pytest.mark.parametrize("key", ["/", "/../", "a b+%41\u00e9"])
def test_odd_prefixes(s3: FaultyS3, key: str) -> None:
    s3.add({f"{key}{name}": 1000 for name in ("1", "2")})
    s3.add({"other": 1, "a b": 1})
    with Prefetcher({"train": f"{s3.uri}/{key}"}, config=small_parts()) as feed:
        check_epoch(feed, s3, prefix=key)


@pytest.mark.parametrize("key", ["a b+%41", "\u65e5\u672c\u8a9e", "../up"])
def test_odd_key_in_an_error(s3: FaultyS3, key: str) -> None:
    s3.add({f"data/{key}": 1000})
    s3.set_faults(Fault("access_denied"))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        failed = fail_epoch(feed, s3)
    assert failed.message.startswith(f"s3://faulty/data/{key} bytes 0-999: 403 AccessDenied")


def test_ten_thousand_tiny_objects(s3: FaultyS3) -> None:
    """Ten pages of keys; a few of the objects are empty, and some requests fail."""
    s3.add({f"data/{number:05}": number % 40 for number in range(10_000)})
    s3.set_faults(Fault("slow_down", rate=0.005), Fault("reset", rate=0.005))
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts(connections=8)) as feed:
        check_epoch(feed, s3)
        stats = feed.stats()["train"]
    assert stats.listed_objects == 10_000
    assert stats.objects >= 10_000


def test_empty_object(s3: FaultyS3) -> None:
    s3.add({"data/x": 0})
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        for epoch in range(3):
            check_epoch(feed, s3, epoch)


def test_empty_objects_between_others(s3: FaultyS3) -> None:
    s3.add({f"data/{n:02}": 0 if n % 3 else 2 * PART + n for n in range(12)})
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        check_epoch(feed, s3, 1)


def test_empty_prefix(s3: FaultyS3) -> None:
    s3.add({"data/x": 10, "other/": 0})
    for prefix in ("nothing/", "other/"):  # the second holds what consoles make of a folder
        feed = Prefetcher({"train": f"{s3.uri}/{prefix}"}, config=small_parts())
        with pytest.raises(NotFoundError, match=prefix):
            feed.start()


def test_object_that_grows(s3: FaultyS3) -> None:
    """Listed with one size, replaced by a longer one: not a byte of the new one."""
    s3.add({"data/a": 1000, "data/b": 1000})
    with Prefetcher({"train": f"{s3.uri}/data/"}, config=small_parts()) as feed:
        check_epoch(feed, s3)
        s3.add({"data/b": 5000})
        for epoch in (1, 2, 3):  # the first two may have been fetched before
            data = read_epoch(feed.dirs["pipe_dir"], "train", epoch)
            said = outcome(feed.dirs["pipe_dir"], "train", epoch)
            if said["state"] == "error":
                break
    assert said["state"] == "error"
    assert said["error"]["kind"] == "FailedPrecondition"
    assert digest(data) == digest(s3.truth("data/a"))
