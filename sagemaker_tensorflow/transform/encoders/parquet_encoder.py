"""``application/x-parquet``: a table for each object. Needs pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sagemaker_tensorflow.transform.encoders.encoder import Encoder, ObjectEncoder, Response
from sagemaker_tensorflow.transform.encoders.parquet_columns import bad_texts, column, schema_of
from sagemaker_tensorflow.transform.encoders.results import without_instances

if TYPE_CHECKING:
    from sagemaker_tensorflow.transform.bad_records import BadRecordError
    from sagemaker_tensorflow.transform.records import Decoded, Outputs, Payload, RecordFailure
    from sagemaker_tensorflow.transform.signatures import Signature

# A row group is held in memory until it is written. Larger ones compress and scan a little better;
# with tens of objects at a time this bounds what they hold.
ROW_GROUP_BYTES = 64 << 20


class ParquetEncoder(Encoder):
    """A table with a row for each instance.

    The first column is ``record``: the int64 number of the record in its object, from 0, which
    tells where records failed. The others are the outputs, called the same: numbers of their own
    type (float16 as float32), strings as UTF-8, or as binary where the name ends in ``_bytes``, and
    a list for each dimension but the batch; of fixed size, for Arrow, where the signature has one.
    A record with a string that should be UTF-8 and is not has failed.

    The bytes come with the payload that fills a row group of `ROW_GROUP_BYTES` and with the end. An
    object without records is a table without rows.

    Raises:
        InvalidArgumentError: An output has a type, a rank or a name that no column can have.
    """

    is_sequential = True

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._schema = schema_of(signature)

    def new_object(self) -> ObjectEncoder:
        """Begins a table."""
        return _ObjectTable(self._signature, self._schema)


class _ObjectTable(ObjectEncoder):
    def __init__(self, signature: Signature, schema: pa.Schema) -> None:
        self._signature = signature
        self._schema = schema
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, schema)
        self._batches: list[pa.RecordBatch] = []
        self._bytes = 0

    def encode(self, payload: Payload, decoded: Decoded, outputs: Outputs) -> Response:
        failures: list[RecordFailure] = []
        try:
            columns = self._columns(outputs)
        except pa.ArrowInvalid:
            errors: dict[int, BadRecordError] = {}
            for spec in self._signature.outputs:
                errors |= bad_texts(spec, outputs[spec.name])
            decoded, outputs, failures = without_instances(payload, decoded, outputs, errors)
            columns = self._columns(outputs)
        numbers = payload.first_record + np.repeat(np.arange(len(decoded.counts)), decoded.counts)
        self._add(pa.RecordBatch.from_arrays([pa.array(numbers), *columns], schema=self._schema))
        return Response(self._sink.take(), failures)

    def end(self) -> bytes:
        """The last row group and the footer."""
        self._write_row_group()
        self._writer.close()
        return self._sink.take()

    def _columns(self, outputs: Outputs) -> list[pa.Array]:
        return [column(spec, outputs[spec.name]) for spec in self._signature.outputs]

    def _add(self, batch: pa.RecordBatch) -> None:
        self._batches.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= ROW_GROUP_BYTES:
            self._write_row_group()

    def _write_row_group(self) -> None:
        table = pa.Table.from_batches(self._batches, self._schema)
        if table.num_rows:
            self._writer.write_table(table, row_group_size=table.num_rows)
        self._batches.clear()
        self._bytes = 0


class _Sink:
    """The file that pyarrow writes to: what is written can be taken out of it piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._written += len(data)
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken

    def tell(self) -> int:
        return self._written

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
