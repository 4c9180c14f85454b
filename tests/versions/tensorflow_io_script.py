"""Reads TFRecords of S3 through tensorflow-io, and through a pipe beside it if asked to.

    tensorflow_io_script.py alone|beside BUCKET KEY...

Prints a JSON object: how many records tensorflow-io gave, and in which places of the stream ours
were others. Ends as the interpreter ends.
"""

from __future__ import annotations

import json
import os
import sys

import tensorflow as tf
import tensorflow_io as tfio

from sagemaker_tensorflow import PipeModeDataset, Prefetcher


def main() -> None:
    mode, bucket, *keys = sys.argv[1:]
    assert tfio.__version__ == "0.37.1"
    assert os.environ["S3_USE_HTTPS"] == "0"
    theirs = tf.data.TFRecordDataset([f"s3://{bucket}/{key}" for key in keys])
    if mode == "alone":
        print(json.dumps({"records": sum(1 for _ in theirs), "different": []}), flush=True)
        return
    with Prefetcher({"train": f"s3://{bucket}"}) as feed:
        ours = PipeModeDataset("train", "TFRecord", **feed.dirs)
        # One more of each would show; zip ends with the shorter one.
        end = tf.data.Dataset.from_tensors(b"the end")
        pairs = list(
            tf.data.Dataset.zip((theirs.concatenate(end), ours.concatenate(end)))
            .prefetch(2)
            .as_numpy_iterator()
        )
    different = [place for place, (one, other) in enumerate(pairs) if one != other]
    assert pairs[-1] == (b"the end", b"the end"), pairs[-1]
    print(json.dumps({"records": len(pairs) - 1, "different": different}), flush=True)


if __name__ == "__main__":
    main()
