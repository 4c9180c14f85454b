"""What may be done with a bucket: locate it, list a prefix, get an object."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sagemaker_tensorflow.doctor.check import Check, ok, problem, skipped, warning
from sagemaker_tensorflow.doctor.s3_advice import s3_problem
from sagemaker_tensorflow.doctor.time_limit import within
from sagemaker_tensorflow.doctor.units import duration, plural
from sagemaker_tensorflow.errors import PipeModeDatasetException
from sagemaker_tensorflow.listing import ListedObject
from sagemaker_tensorflow.locations import S3Location
from sagemaker_tensorflow.prefix_siblings import find_sibling
from sagemaker_tensorflow.progress import format_bytes
from sagemaker_tensorflow.s3_errors import translated_s3_errors
from sagemaker_tensorflow.s3_session import BucketAddress, FirstPage, S3Session

# With boto3's retries, which take up to 15 s when S3 is in trouble.
_LIMIT_SECONDS = 20.0
_GET_BYTES = 1024
_NAMES = 100


@dataclass(frozen=True)
class Readable:
    """Objects that can be read, for measurements; at least one of them has bytes."""

    address: BucketAddress
    objects: list[ListedObject]


class BucketTrial:
    """Tries one prefix of one bucket.

    Attributes:
        readable: None until `checks` has found objects that may be read and have bytes.
    """

    def __init__(
        self, session: S3Session, location: S3Location, limit_seconds: float = _LIMIT_SECONDS
    ) -> None:
        self._session = session
        self._limit_seconds = limit_seconds
        self._location = location
        self.readable: Readable | None = None

    def checks(self) -> list[Check]:
        """Sends the requests."""
        began = time.monotonic()
        try:
            page = within(
                self._limit_seconds,
                f"listing {self._location}",
                lambda: self._session.first_page(self._location),
            )
        except PipeModeDatasetException as error:
            listing = s3_problem("list", error, "s3:ListBucket", self._location)
            return [listing, self._get_unlisted()]
        listing = self._judge_page(page, time.monotonic() - began)
        located = _judge_address(page.address)
        if not page.objects:
            return [located, listing, skipped("get", "there is no object to get")]
        get = self._get(S3Location(self._location.bucket, _first_with_bytes(page.objects)[0]))
        if get.status == "ok" and any(size for _, size, _ in page.objects):
            self.readable = Readable(page.address, page.objects)
        return [located, listing, get]

    def _judge_page(self, page: FirstPage, seconds: float) -> Check:
        size = sum(size for _, size, _ in page.objects)
        more = ", and more" if page.last_key is not None else ""
        found = (
            f"{plural(len(page.objects), 'object')}, {format_bytes(size)}{more}, after "
            f"{duration(seconds)}"
        )
        numbers = {"objects": len(page.objects), "bytes": size, "seconds": seconds}
        if not page.objects and not more:
            advice = "look at the prefix's spelling: it is matched character by character"
            return problem("list", f"no key begins with {self._location.prefix!r}", advice)
        sibling = self._sibling(page)
        if sibling is not None:
            return warning(
                "list",
                f"{found}; the prefix also matches {sibling!r}",
                "end it with / to mean the folder only",
                **numbers,
            )
        if not size and not more:
            return problem("list", f"{found}: all are empty", "look at the prefix", **numbers)
        return ok("list", found, **numbers)

    def _sibling(self, page: FirstPage) -> str | None:
        """A folder that the prefix matches although it names another; None if that is unknown."""
        prefix = self._location.prefix
        if not prefix or prefix.endswith("/"):
            return None
        if page.last_key is None:
            return find_sibling(prefix, (name for name, _, _ in page.objects))
        try:
            names = within(self._limit_seconds, "listing", self._names)
            return find_sibling(prefix, names)
        except PipeModeDatasetException:
            return None

    def _names(self) -> list[str]:
        """Folders and objects that the prefix matches; the first of them, if they are many."""
        with translated_s3_errors(f"listing {self._location}"):
            answer = self._session.client.list_objects_v2(
                Bucket=self._location.bucket,
                Prefix=self._location.prefix,
                Delimiter="/",
                MaxKeys=_NAMES,
            )
        folders = [item["Prefix"] for item in answer.get("CommonPrefixes", [])]
        return folders + [item["Key"] for item in answer.get("Contents", [])]

    def _get_unlisted(self) -> Check:
        """The prefix may be an object's key: the right to get does not need that to list."""
        if not self._location.prefix or self._location.prefix.endswith("/"):
            return skipped("get", "no object is known, as the bucket cannot be listed")
        return self._get(self._location)

    def _get(self, location: S3Location) -> Check:
        try:
            answer = within(
                self._limit_seconds,
                f"reading {location}",
                lambda: self._session.read_range(location, 0, _GET_BYTES),
            )
        except PipeModeDatasetException as error:
            return s3_problem("get", error, "s3:GetObject", self._location)
        return ok("get", f"the first {plural(len(answer.data), 'byte')} of {location.prefix!r}")


def _judge_address(address: BucketAddress) -> Check:
    style = "virtual hosts" if address.virtual_host else "paths"
    return ok("locate", f"{address.endpoint_url}, region {address.region}, addressed by {style}")


def _first_with_bytes(objects: list[ListedObject]) -> ListedObject:
    return next((each for each in objects if each[1]), objects[0])
