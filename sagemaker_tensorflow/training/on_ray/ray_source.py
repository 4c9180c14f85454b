"""A job's script as bytes, for nodes that do not see the driver's files."""

from __future__ import annotations

import dataclasses
import io
import tarfile
import tempfile
from pathlib import Path

from sagemaker_tensorflow.channels import Channel
from sagemaker_tensorflow.locations import S3Location, parse_location
from sagemaker_tensorflow.s3_options import S3Options
from sagemaker_tensorflow.system_errors import make_directory, translated_os_errors
from sagemaker_tensorflow.training.script_files import place_script, script_name
from sagemaker_tensorflow.training.spec import TrainingSpec
from sagemaker_tensorflow.training_input import TrainingInput

_COMPRESSION_LEVEL = 1


def packed_source(spec: TrainingSpec, s3_options: S3Options) -> bytes | None:
    """A ``tar.gz`` of the script and all that is beside it.

    Returns:
        None if all of it is one archive in S3, which each node can fetch.

    Raises:
        PipeModeDatasetException: It cannot be had.
    """
    if _is_in_s3(spec):
        return None
    with tempfile.TemporaryDirectory(prefix="smtf-source-") as folder:
        code = Path(folder, "job", "ml", "code")
        make_directory(code)
        place_script(spec, code, s3_options)
        packed = io.BytesIO()
        with (
            translated_os_errors("packing the script"),
            tarfile.open(fileobj=packed, mode="w:gz", compresslevel=_COMPRESSION_LEVEL) as archive,
        ):
            archive.add(code, ".")
        return packed.getvalue()


def spec_for_nodes(spec: TrainingSpec) -> TrainingSpec:
    """The same job, with absolute paths, and without those of the driver's script."""
    changes: dict[str, object] = {"channels": tuple(map(_absolute, spec.channels))}
    if spec.checkpoint_s3_uri is not None:
        changes["checkpoint_s3_uri"] = str(parse_location(spec.checkpoint_s3_uri))
    if not _is_in_s3(spec):
        # The folder is another one on each node: there the archive takes its place.
        changes.update(entry_point=script_name(spec), source_dir=".", dependencies=())
    return dataclasses.replace(spec, **changes)  # type: ignore[arg-type]


def _is_in_s3(spec: TrainingSpec) -> bool:
    if spec.source_dir is None or spec.dependencies:
        return False
    return isinstance(parse_location(spec.source_dir), S3Location)


def _absolute(channel: Channel) -> Channel:
    given = channel.input
    if not isinstance(given, TrainingInput):
        return channel
    uri = str(parse_location(given.s3_data))
    return dataclasses.replace(channel, input=dataclasses.replace(given, s3_data=uri))
