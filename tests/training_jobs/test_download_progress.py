from __future__ import annotations

from sagemaker_tensorflow.training.download_progress import DownloadMeter, DownloadProgress


def test_line() -> None:
    now = DownloadProgress(3, 10, 1_200_000_000, 4_000_000_000, 6.0, 210_000_000.0)
    assert str(now) == "3/10 objects, 1.2 GB of 4.0 GB, 210 MB/s"


def test_says_where_it_begins_and_ends() -> None:
    said: list[DownloadProgress] = []
    meter = DownloadMeter(2, 5, said.append)
    assert (said[0].objects, said[0].bytes, said[0].bytes_per_second) == (0, 0, 0.0)
    meter.add(3, False)
    meter.add(2, True)
    meter.add(0, True)
    meter.finish()
    last = said[-1]
    assert (last.objects, last.objects_total, last.bytes, last.bytes_total) == (2, 2, 5, 5)
    assert last.seconds > 0
    assert last.bytes_per_second > 0


def test_nobody_listens() -> None:
    meter = DownloadMeter(1, 1, None)
    meter.add(1, True)
    meter.finish()
    assert (meter.objects, meter.bytes) == (1, 1)
