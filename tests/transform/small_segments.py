"""``smtf``, with a ledger that writes a segment for every few objects instead of every thousand.

So a job of a hundred objects has as much to go on from as one of tens of thousands.
"""

from __future__ import annotations

import functools
import sys

from sagemaker_tensorflow import cli
from sagemaker_tensorflow.transform import job
from sagemaker_tensorflow.transform.ledger import Ledger

if __name__ == "__main__":
    job.Ledger = functools.partial(Ledger, segment_entries=5)  # type: ignore[misc, assignment]
    sys.exit(cli.main())
