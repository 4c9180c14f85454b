"""Jobs whose results would be among their own inputs the next time.

The first run of such a job does what it should, since its input is listed before its results are
there. But a job may be killed at any moment and is then run again, and that run would transform the
results, and the one after it the results of results.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.locations import LocalLocation, S3Location, parse_location
from sagemaker_tensorflow.transform.output_keys import output_name
from sagemaker_tensorflow.transform.records import InputObject
from sagemaker_tensorflow.transform.spec import TransformSpec


def check_results_are_no_inputs(spec: TransformSpec, objects: Iterable[InputObject]) -> None:
    """Refuses a job of which a result would be an input of its next run.

    A manifest names its objects, and so never names results.

    Args:
        spec: Of the job.
        objects: Its input.

    Raises:
        InvalidArgumentError: There is such a result; names the first.
    """
    if spec.data_type == "ManifestFile":
        return
    source, target = parse_location(spec.input_uri), parse_location(spec.output_uri)
    found = None
    if isinstance(source, S3Location) and isinstance(target, S3Location):
        found = _matched_result(source, target, objects)
    elif isinstance(source, LocalLocation) and isinstance(target, LocalLocation):
        found = _listed_result(source.path, target.path, objects)
    if found is not None:
        raise InvalidArgumentError(
            f"the result {found} would be an input of the next run of this job, because it lies in "
            f"{spec.input_uri}; choose an output path outside of the input"
        )


def _matched_result(
    source: S3Location, target: S3Location, objects: Iterable[InputObject]
) -> str | None:
    """A result that the input's prefix matches, character by character as S3 does it."""
    if source.bucket != target.bucket:
        return None
    folder = (
        target.prefix if target.prefix.endswith("/") or not target.prefix else target.prefix + "/"
    )
    if not folder.startswith(source.prefix) and not source.prefix.startswith(folder):
        return None
    keys = (folder + output_name(obj) for obj in objects)
    matched = next((key for key in keys if key.startswith(source.prefix)), None)
    return None if matched is None else f"s3://{target.bucket}/{matched}"


def _listed_result(source: Path, target: Path, objects: Iterable[InputObject]) -> str | None:
    """A result in the input's folder, unless it is hidden there: a name begins with a dot."""
    source, target = source.resolve(), target.resolve()
    if not source.is_dir() or not target.is_relative_to(source):
        return None
    if any(name.startswith(".") for name in target.relative_to(source).parts):
        return None
    return next((str(target / output_name(obj)) for obj in objects), None)
