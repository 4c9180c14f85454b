"""What results are called, and inputs that cannot be told apart by it.

SageMaker appends ``.out`` to an object's name and puts it under the output path "in a corresponding
subfolder" (TransformOutput.S3OutputPath, API_TransformOutput.html). How much of the key that
subfolder is, its documentation leaves open; the rule here is that of `input_objects`: what is in
the folder that the input prefix names, or the whole entry of a manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.transform.records import InputObject

RESULT_SUFFIX = ".out"
ERRORS_SUFFIX = ".errors.jsonl"

# Beside the results: ledgers, job records, logs. Hidden, so that a local folder of results is an
# input that does not hold it.
BOOKKEEPING_FOLDER = ".smtf-transform"

_MOST_NAMED = 5
# Of one name in a folder: NAME_MAX of Linux, limits.h.
_MOST_NAME_BYTES = 255


def output_name(obj: InputObject) -> str:
    """The name of an object's result, relative to the output path: ``<relative>.out``.

    With the input ``s3://b/data`` the object ``s3://b/data/train/x.csv`` has the result
    ``train/x.csv.out``; `input_objects` has the whole rule.
    """
    return obj.relative + RESULT_SUFFIX


def errors_name(obj: InputObject) -> str:
    """The name of the file that lists an object's bad records: ``<relative>.errors.jsonl``."""
    return obj.relative + ERRORS_SUFFIX


def check_collisions(objects: Iterable[InputObject], local: bool = False) -> None:
    """Makes sure that every result has a place of its own.

    Args:
        objects: All of the job's input.
        local: Results are files. Then a name must also be one that a file can have, inside the
            output folder, and no name may be the folder of another.

    Raises:
        InvalidArgumentError: Two results would be one, or a name cannot be used; names up to 5.
    """
    known = list(objects)
    _refuse("one result for two inputs", list(_same_names(known)))
    _refuse("a name that is reserved", list(_reserved_names(known)))
    if local:
        _refuse("a name that no file of the output folder can have", list(_unusable_names(known)))
        _refuse("a result where a folder has to be", list(_names_of_folders(known)))


def _same_names(objects: Iterable[InputObject]) -> Iterator[str]:
    first: dict[str, InputObject] = {}
    for obj in objects:
        other = first.setdefault(obj.relative, obj)
        if other is not obj:
            yield f"{other.uri} and {obj.uri} both give {output_name(obj)!r}"


def _reserved_names(objects: Iterable[InputObject]) -> Iterator[str]:
    for obj in objects:
        if obj.relative.startswith(f"{BOOKKEEPING_FOLDER}/"):
            yield f"{obj.uri} gives {output_name(obj)!r}"


def _unusable_names(objects: Iterable[InputObject]) -> Iterator[str]:
    for obj in objects:
        reason = _why_unusable(obj)
        if reason:
            yield f"{obj.uri} gives {output_name(obj)!r}: {reason}"


def _why_unusable(obj: InputObject) -> str:
    parts = output_name(obj).split("/")
    if parts[0] == "":
        return "it is an absolute path"
    if ".." in parts:
        return "'..' leaves the folder"
    if "" in parts or "." in parts:
        return "a file system takes '//' and '/./' for '/'"
    if "\0" in obj.relative:
        return "it holds a zero byte"
    longest = max(len(part.encode("utf-8", "surrogateescape")) for part in parts)
    errors = errors_name(obj).rpartition("/")[2]
    if max(longest, len(errors.encode("utf-8", "surrogateescape"))) > _MOST_NAME_BYTES:
        return f"a file's name has {_MOST_NAME_BYTES} bytes at most, with {ERRORS_SUFFIX!r}"
    return ""


def _names_of_folders(objects: list[InputObject]) -> Iterator[str]:
    files = {name: obj for obj in objects for name in (output_name(obj), errors_name(obj))}
    for obj in objects:
        folder = obj.relative.rpartition("/")[0]
        while folder:
            if folder in files:
                yield f"{files[folder].uri} gives the file {folder!r}, {obj.uri} one inside it"
            folder = folder.rpartition("/")[0]


def _refuse(what: str, found: list[str]) -> None:
    if not found:
        return
    named = "; ".join(found[:_MOST_NAMED])
    more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    raise InvalidArgumentError(
        f"{what}, in {len(found)} cases: {named}{more}; rename the inputs, or give them to jobs "
        "with an output path each"
    )
