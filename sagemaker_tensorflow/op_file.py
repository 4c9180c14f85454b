"""The dataset op's library as a file, for those that must not import TensorFlow."""

from __future__ import annotations

import re
from pathlib import Path

OP_PATH = Path(__file__).parent / "_pipe_op.so"
# csrc/ops/built_for puts it there.
_MARKER = re.compile(rb"smtf-built-for-tensorflow:([^\0]+)\0")


def built_for(path: Path) -> str:
    """The TensorFlow version that an op was compiled against, read from the file itself.

    The library may be one that does not load, so it is not asked but searched.

    Raises:
        OSError: The file cannot be read.
    """
    match = _MARKER.search(path.read_bytes())
    return match[1].decode() if match else "an unknown version"
