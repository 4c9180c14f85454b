"""What a channel streams: where its bytes come from, and what fills its list of objects.

Each kind of channel is a class with a `source`, and a method `fill` that appends the objects to a
list page by page. Here are those whose objects are listed; `manifest_objects` has the others.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from sagemaker_tensorflow import _prefetch
from sagemaker_tensorflow.channels import ChannelInput
from sagemaker_tensorflow.joined_inputs import JoinedInputs
from sagemaker_tensorflow.joined_objects import JoinedObjects
from sagemaker_tensorflow.listing import list_local_objects, nothing_under
from sagemaker_tensorflow.locations import LocalLocation, S3Location
from sagemaker_tensorflow.manifest_objects import AugmentedManifestObjects, ManifestObjects
from sagemaker_tensorflow.object_list_file import ListedObjects, read_object_list
from sagemaker_tensorflow.prefix_siblings import warn_of_sibling
from sagemaker_tensorflow.source_pool import SourcePool

if TYPE_CHECKING:
    from sagemaker_tensorflow._prefetch import Source


class ChannelObjects(Protocol):
    """One channel's."""

    @property
    def source(self) -> Source:
        """Where the bytes come from."""

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Appends every object, and yields how many after each page. Once; does not finish.

        Args:
            objects: The list.
            source_index: What the list calls `source`, where it has objects of several.

        Raises:
            PipeModeDatasetException: An object, or the list of them, is not there or cannot be had.
        """

    def stop(self) -> None:
        """Ends `fill` as soon as may be. Any thread."""


def open_channel_objects(given: ChannelInput, pool: SourcePool) -> ChannelObjects:
    """Finds a channel's source. Sends a request if it is in S3.

    Raises:
        PipeModeDatasetException: The bucket or the manifest is not there or cannot be had.
    """
    if isinstance(given, ListedObjects):
        return ObjectsOfList(given, pool)
    if isinstance(given, JoinedInputs):
        return JoinedObjects([open_channel_objects(one, pool) for one in given.inputs])
    location = given.location
    if given.s3_data_type == "ManifestFile":
        return ManifestObjects(pool, location)
    if given.s3_data_type == "AugmentedManifestFile":
        return AugmentedManifestObjects(pool, location, given.attributes)
    if isinstance(location, S3Location):
        return S3PrefixObjects(pool, location)
    return LocalObjects(location)


class ObjectsOfList:
    """The objects that a file names, with their sizes and ETags: nobody is asked for those."""

    def __init__(self, given: ListedObjects, pool: SourcePool) -> None:
        self._stopped = threading.Event()
        self._pages = read_object_list(given.list_path, self._stopped)
        self._first = next(self._pages)
        self.source: Source = _prefetch.FileSource()
        if given.bucket is not None:
            first_key, _, _ = self._first[0]
            # What the first object is like says nothing about the others.
            location = S3Location(given.bucket, first_key)
            self.source = pool.bucket_of(location, may_be_denied=True).source

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Reads the file."""
        for page in itertools.chain([self._first], self._pages):
            objects.add(page, source_index)
            yield len(page)

    def stop(self) -> None:
        """Ends the wait for what is still being written."""
        self._stopped.set()


class LocalObjects:
    """A folder, or one file."""

    def __init__(self, location: LocalLocation) -> None:
        self.source = _prefetch.FileSource()
        self._pages = list_local_objects(location)
        self._first = next(self._pages)

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Walks the folder."""
        for page in itertools.chain([self._first], self._pages):
            objects.add(page, source_index)
            yield len(page)

    def stop(self) -> None:
        """Nothing to do: a page of a folder takes no time."""


class S3PrefixObjects:
    """All keys with a prefix: the first page from boto3, the others from the engine's listing."""

    def __init__(self, pool: SourcePool, location: S3Location) -> None:
        self._location = location
        self._client = pool.session.client
        self._page = pool.session.first_page(location)
        if not self._page.objects and self._page.last_key is None:
            raise nothing_under(location)
        bucket = pool.bucket(location.bucket, self._page.address)
        self.source: Source = bucket.source
        self._listing: _prefetch.S3Listing | None = None
        if self._page.last_key is not None:
            self._listing = _prefetch.S3Listing(
                bucket.s3, location.prefix, start_after=self._page.last_key
            )

    def fill(self, objects: _prefetch.ObjectList, source_index: int = 0) -> Iterator[int]:
        """Lists the prefix."""
        count = len(self._page.objects)
        if count:
            objects.add(self._page.objects, source_index)
            yield count
        self._warn_of_sibling()
        if self._listing is not None:
            listed = self._listing.run(objects, source_index)
            count += listed
            yield listed
        if not count:
            raise nothing_under(self._location)

    def _warn_of_sibling(self) -> None:
        # By now the channel streams. The request, if there is one, holds up nothing.
        whole = self._page.objects if self._listing is None else None
        threading.Thread(
            target=warn_of_sibling,
            args=(self._client, self._location, whole),
            name="smtf-siblings",
            daemon=True,
        ).start()

    def stop(self) -> None:
        """Ends the engine's listing."""
        if self._listing is not None:
            self._listing.stop()
