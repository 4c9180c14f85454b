"""One object sent to S3 in parts, several at a time."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from typing import TYPE_CHECKING, Protocol, TypeVar

from sagemaker_tensorflow.errors import (
    InvalidArgumentError,
    NotFoundError,
    PipeModeDatasetException,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_T = TypeVar("_T")

PART_BYTES = 8 << 20
# Amazon S3 User Guide, "Amazon S3 multipart upload limits".
MOST_PARTS = 10_000
# Behind these 8 GiB each part is larger than the one before by a fixed step, so that an upload
# whose length nobody knows fits: 10,000 parts make 5.5 TiB, and the last of them has 1.2 GiB. S3
# takes parts of up to 5 GiB.
_EQUAL_PARTS = 1000
_STEP_BYTES = 144 << 10
# Parts in memory that are on their way; at least one, whatever its size.
_MOST_BYTES_SENT = 32 << 20


class Call(Protocol):
    """How requests are sent: `S3OutputStore.call`."""

    def __call__(self, what: str, request: Callable[[S3Client], _T]) -> _T:
        """Sends one and translates its errors."""


def part_bytes(number: int) -> int:
    """The size of a part that is not the last.

    Args:
        number: From 1, as S3 counts.
    """
    return PART_BYTES + max(0, number - _EQUAL_PARTS) * _STEP_BYTES


class MultipartUpload:
    """A multipart upload that has begun. Used by one thread; parts travel in the executor's.

    Nothing is visible before `complete`. After an error `abort` has to be called.

    Args:
        call: Sends requests.
        threads: For the parts; shared.
        bucket: Where to.
        key: What the object is called.
        content_type: Of the object.
        ended: Called when S3 holds no parts of it any more.
    """

    def __init__(
        self,
        call: Call,
        threads: Executor,
        bucket: str,
        key: str,
        content_type: str,
        ended: Callable[[], None],
    ) -> None:
        self._call = call
        self._threads = threads
        self._bucket = bucket
        self._key = key
        self._ended = ended
        self._parts: dict[int, CompletedPartTypeDef] = {}
        self._running: dict[Future[None], int] = {}
        self._lock = threading.Lock()
        self._count = 0
        begun = call(
            f"beginning the upload of {self}",
            lambda client: client.create_multipart_upload(
                Bucket=bucket, Key=key, ContentType=content_type
            ),
        )
        self._id = begun["UploadId"]

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._key}"

    @property
    def next_part_bytes(self) -> int:
        """How long the next part has to be, unless it is the last."""
        return part_bytes(self._count + 1)

    def add_part(self, data: bytes) -> None:
        """Sends the next part; waits while too many bytes are on their way.

        Raises:
            PipeModeDatasetException: This or an earlier part cannot be sent.
        """
        if self._count == MOST_PARTS:
            raise InvalidArgumentError(
                f"{self}: its result is longer than {MOST_PARTS} parts, which is all S3 takes; "
                "split the input object"
            )
        while self._running and sum(self._running.values()) + len(data) > _MOST_BYTES_SENT:
            self._take_finished(wait(self._running, return_when="FIRST_COMPLETED").done)
        self._count += 1
        self._running[self._threads.submit(self._send, self._count, data)] = len(data)

    def complete(self) -> str:
        """Makes the object visible; its ETag.

        Raises:
            PipeModeDatasetException: A part cannot be sent, or S3 does not join them.
        """
        self._take_finished(wait(self._running).done)
        parts = [self._parts[number] for number in sorted(self._parts)]
        try:
            answer = self._call(
                f"completing the upload of {self} in {len(parts)} parts",
                lambda client: client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._id,
                    MultipartUpload={"Parts": parts},
                ),
            )
            # radosgw does not say it (16.2).
            etag = answer.get("ETag") or self._etag_now()
        except NotFoundError:
            # botocore asks again when an answer is lost, and then the upload is no more.
            etag = _joined_etag(parts)
            if not etag or self._etag_now() != etag:
                raise
        self._forget_note()
        return etag

    def abort(self) -> None:
        """Makes S3 drop the parts. Never raises: a later run does it if this one cannot."""
        for future in self._running:
            future.cancel()
        # A part that arrives after the abort would be kept, and charged, for ever.
        wait(self._running)
        self._running.clear()
        try:
            self._call(
                f"aborting the upload of {self}",
                lambda client: client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._key, UploadId=self._id
                ),
            )
        except PipeModeDatasetException:
            return
        self._forget_note()

    def _etag_now(self) -> str:
        found = self._call(
            f"looking for {self}",
            lambda client: client.head_object(Bucket=self._bucket, Key=self._key),
        )
        return found.get("ETag", "")

    def _send(self, number: int, data: bytes) -> None:
        answer = self._call(
            f"uploading part {number} ({len(data)} bytes) of {self}",
            lambda client: client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                PartNumber=number,
                Body=data,
            ),
        )
        part: CompletedPartTypeDef = {"PartNumber": number, "ETag": answer["ETag"]}
        # botocore sends one with each part unless told otherwise, and S3 wants it back.
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        with self._lock:
            self._parts[number] = part

    def _take_finished(self, done: set[Future[None]]) -> None:
        for future in done:
            del self._running[future]
        for future in done:
            future.result()

    def _forget_note(self) -> None:
        """The upload is over; a note that stays costs the next run one request."""
        try:
            self._ended()
        except PipeModeDatasetException:
            return


def _joined_etag(parts: Sequence[CompletedPartTypeDef]) -> str:
    """What S3 calls an object of these parts; "" where their ETags are no MD5 sums."""
    try:
        sums = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    except ValueError:
        return ""
    joined = hashlib.md5(sums, usedforsecurity=False).hexdigest()
    return f'"{joined}-{len(parts)}"'
