"""Descriptions of jobs in files: JSON that somebody has written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sagemaker_tensorflow.errors import InvalidArgumentError
from sagemaker_tensorflow.system_errors import translated_os_errors


def json_from_file(path: Path) -> Any:
    """Reads a JSON value.

    Raises:
        NotFoundError: There is no such file.
        PermissionDeniedError: It may not be read.
        InvalidArgumentError: It is not JSON.
    """
    with translated_os_errors("reading a job's description"):
        data = path.read_bytes()
    try:
        return json.loads(data)
    except ValueError as error:
        raise InvalidArgumentError(f"{path} is not JSON: {error}") from error
