"""Which files a channel has in File mode: its objects, and where each lies in the channel's folder.

What SageMaker's documentation says (API_Channel, API_S3DataSource) and what its users saw:

- Objects are files as they are: ``CompressionType`` and ``RecordWrapperType`` are for Pipe mode,
  and so are augmented manifests.
- Under ``s3://b/data/`` and under ``s3://b/data`` the object ``s3://b/data/x/1.csv`` is the file
  ``x/1.csv``: sub-folders are kept. Under a prefix that ends inside a name, such as
  ``s3://b/data/tr``, ``s3://b/data/train.csv`` is ``train.csv``
  (github.com/aws/sagemaker-python-sdk/issues/3612). A single object is a file of its own name.
- With ``ShardedByS3Key`` each host has about as many objects as the others; which is not published.

What it does not say is decided here. An object of a manifest is the file that the manifest's entry
names behind its prefix. Several slashes in a row are one. Zero-byte keys that end in ``/``, which
consoles make of folders, are no files. The shares of hosts are dealt as those of Pipe mode are.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator

from sagemaker_tensorflow.errors import InvalidArgumentError, NotFoundError
from sagemaker_tensorflow.hosts import HostPlace
from sagemaker_tensorflow.listing import ListedObject, nothing_under
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.training_input import TrainingInput
from sagemaker_tensorflow.transform.input_list import InputList
from sagemaker_tensorflow.transform.input_objects import list_inputs
from sagemaker_tensorflow.transform.records import InputObject

# What files are called that are not complete; see `file_channel`.
PARTIAL_PREFIX = ".smtf-download-"
# Linux's NAME_MAX, in bytes.
_MOST_NAME_BYTES = 255


class ChannelFiles:
    """The files of one host, in the order of their keys, or of the manifest.

    Args:
        objects: All objects of the channel.
        own: For each of them, whether the host has it.
    """

    def __init__(self, objects: InputList, own: bytearray) -> None:
        self._objects = objects
        self._own = own

    @property
    def bucket(self) -> str | None:
        """Of all objects; None when they are local files. There is at least one file."""
        location = parse_location(self._objects[0].uri)
        return location.bucket if isinstance(location, S3Location) else None

    def listed(self) -> Iterator[ListedObject]:
        """What they are fetched by."""
        return itertools.compress(self._objects.listed(), self._own)

    def sizes(self) -> Iterator[int]:
        """Bytes of each."""
        return (size for _, size, _ in self.listed())

    def paths(self) -> Iterator[str]:
        """Where each lies, relative to the channel's folder."""
        for index, own in enumerate(self._own):
            if own:
                yield file_path(self._objects[index])

    def __len__(self) -> int:
        return self._own.count(1)


def list_channel_files(
    given: TrainingInput, s3_options: S3Options, host: HostPlace
) -> ChannelFiles:
    """Finds a channel's files.

    Args:
        given: The channel, which may be one of File mode; see `spec_problems`.
        s3_options: How to reach S3.
        host: Whose share of the objects it is, where they are distributed.

    Returns:
        The host's files, which are none where there are fewer objects than hosts.

    Raises:
        InvalidArgumentError: Its objects cannot be files of one folder; names them.
        NotFoundError: There is no such bucket, path, manifest or object.
        PermissionDeniedError: The credentials are missing or do not allow it.
        UnavailableError: S3 cannot be reached.
    """
    objects = list_inputs(given.s3_data, given.s3_data_type or "S3Prefix", s3_options)
    if not objects:
        location = given.location
        if isinstance(location, S3Location):
            raise nothing_under(location)
        raise NotFoundError(f"{location} holds no file but hidden ones")
    chosen = _distinct(objects)
    if given.sharded and host.count > 1:
        sizes = array("Q", (size for _, size, _ in objects.listed()))
        chosen = _share(chosen, sizes, host)
    own = bytearray(len(objects))
    for index in chosen:
        own[index] = 1
    return ChannelFiles(objects, own)


def file_path(source: InputObject) -> str:
    """Where an object lies, relative to its channel's folder.

    Raises:
        InvalidArgumentError: No file within the folder can be called so.
    """
    relative = source.relative
    names = [name for name in relative.split("/") if name]
    problem = _name_problem(names)
    if not names or relative.endswith("/"):
        problem = f"it ends in '/' as a folder does, and has {source.size} bytes"
    if problem:
        raise InvalidArgumentError(
            f"{source.uri} cannot be a file of a folder: {problem}; rename it, leave it out with a "
            "manifest, or give input_mode='Pipe', where objects have no names"
        )
    return "/".join(names)


def _name_problem(names: list[str]) -> str | None:
    for name in names:
        if name in (".", ".."):
            return f"{name!r} in its key means another folder"
        if "\0" in name:
            return "its key holds a null byte"
        size = len(name.encode("utf-8", "surrogateescape"))
        if size > _MOST_NAME_BYTES:
            return (
                f"{name[:20]!r}... has {size} bytes, and a file's name {_MOST_NAME_BYTES} at most"
            )
    if names and names[0].startswith(PARTIAL_PREFIX):
        return f"files are called {PARTIAL_PREFIX}... while they are not complete"
    return None


def _distinct(objects: InputList) -> Iterator[int]:
    """The objects without those that a manifest repeats, by number.

    Raises:
        InvalidArgumentError: Two of them would be in one place.
    """
    files: dict[str, int] = {}
    folders: dict[str, int] = {}  # and an object in each
    chosen = array("Q")
    for index, source in enumerate(objects):
        path = file_path(source)
        other = files.setdefault(path, index)
        if other != index:
            if objects[other].name != source.name:
                raise _collision(objects[other], source, f"both would be the file {path!r}")
            continue
        if path in folders:
            raise _collision(source, objects[folders[path]], _file_and_folder(path))
        for folder in _folders_above(path):
            if folder in files:
                raise _collision(objects[files[folder]], source, _file_and_folder(folder))
            if folders.setdefault(folder, index) != index:
                break  # and so were those above it
        chosen.append(index)
    return iter(chosen)


def _folders_above(path: str) -> Iterator[str]:
    """Those that a file lies in, the innermost first."""
    while (path := path.rpartition("/")[0]) != "":
        yield path


def _file_and_folder(path: str) -> str:
    return f"{path!r} would be a file for the one and a folder for the other"


def _collision(one: InputObject, other: InputObject, how: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{one.uri} and {other.uri} cannot be in one folder: {how}; rename one of them, leave it "
        "out with a manifest, or give input_mode='Pipe', where objects have no names"
    )


def _share(indices: Iterable[int], sizes: array[int], host: HostPlace) -> Iterator[int]:
    """Deals objects to hosts, and gives those of one: see csrc/prefetch/shard_dealer.h.

    In each round every host gets an object, the one with the fewest bytes the largest.
    """
    dealt = [0] * host.count
    remaining = iter(indices)
    while taken := list(itertools.islice(remaining, host.count)):
        largest_first = sorted(taken, key=sizes.__getitem__, reverse=True)
        emptiest_first = sorted(range(host.count), key=dealt.__getitem__)
        for index, to in zip(largest_first, emptiest_first, strict=False):
            dealt[to] += sizes[index]
            if to == host.index:
                yield index
