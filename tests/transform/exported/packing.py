"""How the models of this folder are kept: ``NAME.tar.gz``, and in ``NAME.json`` what they give.

For the scripts beside it, each of which needs a TensorFlow and packages of its own.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def keep_model(name: str, folder: Path, cases: list[dict[str, Any]]) -> None:
    """Packs a SavedModel, the same bytes for the same files.

    Args:
        name: Of the files.
        folder: The SavedModel.
        cases: Of each a ``signature``, a ``content_type``, the input as ``lines``, or as
            ``records`` in Base64, and the ``outputs`` that its own framework computed.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(f"1/{path.relative_to(folder).as_posix()}")
                member.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(member, file)
    (HERE / f"{name}.tar.gz").write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    (HERE / f"{name}.json").write_text(json.dumps(cases, indent=1) + "\n")


def plain(outputs: dict[str, Any]) -> dict[str, Any]:
    """Tensors and arrays as JSON has them."""
    return {name: _text(value) for name, value in outputs.items()}


def _text(value: Any) -> Any:
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value
