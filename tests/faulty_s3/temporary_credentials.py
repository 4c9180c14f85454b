"""A credential_process, as AWS's configuration files name them, that gets its keys from the server.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.faulty_s3 import FaultyS3

# Keeps what it gave out, one JSON object per line.
_PROGRAM = """
import sys, urllib.request
request = urllib.request.Request({url!r} + "/_control/credentials", {numbers!r}.encode())
with urllib.request.urlopen(request) as answer:
    credentials = answer.read().decode()
with open({issued!r}, "a") as issued:
    issued.write(credentials + "\\n")
print(credentials)
"""


class TemporaryCredentials:
    """A profile whose credentials have a short life.

    Args:
        s3: Whose keys they are.
        folder: For the program, the configuration, and what was given out.
        life: Of each key, in seconds.
        told_life: What the program says that it is.

    Attributes:
        config: The path for AWS_CONFIG_FILE.
    """

    def __init__(
        self,
        s3: FaultyS3,
        folder: Path,
        *,
        life: float,
        told_life: float | None = None,
    ) -> None:
        self._issued = folder / "issued"
        numbers = {"life": life, "told_life": life if told_life is None else told_life}
        program = folder / "credential_program.py"
        program.write_text(
            _PROGRAM.format(url=s3.url, numbers=json.dumps(numbers), issued=str(self._issued))
        )
        self.config = folder / "aws_config"
        self.config.write_text(
            f"[default]\ncredential_process = {sys.executable} -S -E {program}\n"
        )

    def issued(self) -> list[dict[str, Any]]:
        """All that were given out so far."""
        return [json.loads(line) for line in self._issued.read_text().splitlines()]
