"""The first batch, from a folder of TFRecord files, with no cloud account.

Usage: python examples/stream_folder.py FOLDER
"""

import sys

from sagemaker_tensorflow import PipeModeDataset, Prefetcher

if len(sys.argv) != 2:
    sys.exit(__doc__)
with Prefetcher({"training": sys.argv[1]}) as feed:
    dataset = PipeModeDataset("training", "TFRecord", batch_size=32, **feed.dirs)
    print(next(iter(dataset)))
