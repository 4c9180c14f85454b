"""``inputdataconfig.json``: which channels a training script has, and in which mode.

The file and its keys are SageMaker's ("How Amazon SageMaker AI Provides Training Information",
section "Input Data Configuration").
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.channels import Channel, ChannelInput
from sagemaker_tensorflow.errors import DataLossError, NotFoundError
from sagemaker_tensorflow.system_errors import translated_os_errors

FILE_NAME = "inputdataconfig.json"


def read_input_data_config(config_dir: Path) -> dict[str, dict[str, Any]]:
    """Reads the channels' entries, by name.

    Raises:
        NotFoundError: There is no such file.
        PermissionDeniedError: It may not be read.
        DataLossError: It is not a JSON object of objects.
    """
    path = config_dir / FILE_NAME
    with translated_os_errors("reading the channels' configuration"):
        text = path.read_text(encoding="utf-8")
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise DataLossError(f"{path} is not JSON: {error}") from error
    if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
        raise DataLossError(f"{path}: expected a JSON object of channels, found {text[:80]!r}")
    return entries


def add_input_channels(config_dir: Path, channels: Iterable[Channel]) -> None:
    """Adds or replaces the channels' entries, one for each pipe, and keeps the others.

    The file is written whole and renamed into place, so that a reader never sees half of it.

    Raises:
        PermissionDeniedError: The directory may not be written.
        FailedPreconditionError: The disk is full.
        InternalError: The system refused it for another reason.
        DataLossError: What is there already is not JSON; it is left alone.
    """
    try:
        entries = read_input_data_config(config_dir)
    except NotFoundError:
        entries = {}
    for channel in channels:
        entries.update(dict.fromkeys(channel.pipe_names, _entry(channel.input)))
    path = config_dir / FILE_NAME
    with translated_os_errors(f"writing {path}"):
        _replace(path, json.dumps(entries, indent=2) + "\n")


def _entry(given: ChannelInput) -> dict[str, Any]:
    entry = {
        "TrainingInputMode": given.input_mode or "Pipe",
        "S3DistributionType": given.distribution,
        "RecordWrapperType": given.record_wrapping or "None",
    }
    if given.content_type is not None:
        entry = {"ContentType": given.content_type, **entry}
    return entry


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes it private; the training script may run as another user.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
