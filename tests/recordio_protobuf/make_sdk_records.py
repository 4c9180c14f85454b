"""Writes ``sdk_records.json``: what the writers of SageMaker's Python SDK make of ``sdk_arrays``.

Usage, where SDK and scipy are installed (``pip install 'sagemaker<3' scipy``):

    python -m tests.recordio_protobuf.make_sdk_records

The file holds RecordIO streams in hexadecimal, so that the tests do without the SDK.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
from pathlib import Path

from tests.recordio_protobuf.sdk_arrays import Written, written

FILE = Path(__file__).parent / "sdk_records.json"


def stream(name: str, case: Written) -> bytes:
    """The RecordIO stream that the SDK writes."""
    from sagemaker.amazon.common import (
        write_numpy_to_dense_tensor,
        write_spmatrix_to_sparse_tensor,
    )
    from scipy.sparse import csr_matrix

    file = io.BytesIO()
    if not case.sparse:
        write_numpy_to_dense_tensor(file, case.array, case.labels)
        return file.getvalue()
    matrix = csr_matrix(case.array)
    if name == "sparse_in_no_order":
        for begin, end in zip(matrix.indptr, matrix.indptr[1:], strict=False):
            matrix.indices[begin:end] = matrix.indices[begin:end][::-1].copy()
            matrix.data[begin:end] = matrix.data[begin:end][::-1].copy()
        matrix.has_sorted_indices = False
    write_spmatrix_to_sparse_tensor(file, matrix, case.labels)
    return file.getvalue()


def main() -> None:
    """Writes the file."""
    content = {
        "written_by": f"sagemaker {importlib.metadata.version('sagemaker')}",
        "streams": {name: stream(name, case).hex() for name, case in written().items()},
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
