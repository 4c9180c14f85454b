"""The process behind `Prefetcher`: ``python -m sagemaker_tensorflow.prefetch_process``.

It talks JSON, a line a message. The first line on stdin holds its `PrefetchOrders`; the first on
stdout is ``{"started": true}`` or ``{"error": {"kind": ..., "message": ...}}``. Then
``{"request": "stats", "id": n}`` is answered by ``{"id": n, "stats": {channel: {...}}}`` or
``{"id": n, "error": {...}}``, and ``{"request": "stop"}`` ends it. So do the end of stdin, the
death of its owner and SIGTERM.
Logs go to stderr. No secret passes here: credentials are found by boto3, in this process.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.errors import PipeModeDatasetException, kind_of_error
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders

if TYPE_CHECKING:
    from sagemaker_tensorflow.feeder import Feeder

_STOP_SIGNALS = {signal.SIGTERM}


def main() -> int:
    """Runs until told to stop. Returns the exit status: 1 if it could not start."""
    # A terminal sends Ctrl-C to this process too; its owner decides what that means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    owner = JsonLines(sys.stdin.fileno(), _claim_stdout())
    try:
        orders = PrefetchOrders.from_json(owner.receive())
    except EOFError:
        return 0
    logging.basicConfig(format="%(asctime)s smtf %(levelname)s %(message)s")
    logging.getLogger("sagemaker_tensorflow").setLevel(orders.log_level)
    try:
        try:
            _serve(orders, owner)
        except PipeModeDatasetException as error:
            owner.send({"error": {"kind": kind_of_error(error), "message": str(error)}})
            return 1
    except BrokenPipeError:  # the owner is gone before it could be told how it went
        shutil.rmtree(orders.temporary_dir, ignore_errors=True)
    return 0


def _claim_stdout() -> int:
    """Takes stdout for the conversation; whatever else is printed goes to stderr."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return private


def _serve(orders: PrefetchOrders, owner: JsonLines) -> None:
    from sagemaker_tensorflow.feeder import Feeder, serve

    feeder = Feeder(
        orders.channels,
        pipe_dir=orders.pipe_dir,
        config_dir=orders.config_dir,
        config=orders.config,
        s3_options=orders.s3_options,
        host=orders.host,
    )
    end = _End()
    owner_pid = os.getppid()
    threading.Thread(
        target=_answer, args=(feeder, owner, end), name="smtf-answer", daemon=True
    ).start()

    def end_with_owner() -> None:
        # A dead owner's stdin ends as well, unless a child that it forked still holds it.
        if os.getppid() != owner_pid:
            end.begin()

    serve(
        feeder,
        _STOP_SIGNALS,
        on_started=lambda: owner.send({"started": True}),
        tick=end_with_owner,
    )
    if end.unneeded:
        shutil.rmtree(orders.temporary_dir, ignore_errors=True)


class _End:
    """Everything that ends this process reaches the main thread as a SIGTERM, and only one.

    Attributes:
        unneeded: The owner has ended it or is gone, so that nobody reads what it leaves. After a
            SIGTERM of somebody else's, readers find there how their epochs ended.
    """

    def __init__(self) -> None:
        self._first = threading.Lock()
        self.unneeded = False

    def begin(self) -> None:
        if self._first.acquire(blocking=False):
            self.unneeded = True
            os.kill(os.getpid(), signal.SIGTERM)


def _answer(feeder: Feeder, owner: JsonLines, end: _End) -> None:
    """Serves requests to their end. The owner sends none before it was told "started"."""
    try:
        while (message := owner.receive())["request"] == "stats":
            owner.send({"id": message["id"], **_stats(feeder)})
    except (EOFError, BrokenPipeError):
        pass  # without a word: an owner that lives says "stop"
    end.begin()


def _stats(feeder: Feeder) -> dict[str, Any]:
    try:
        return {"stats": {name: stats.to_json() for name, stats in feeder.stats().items()}}
    except PipeModeDatasetException as error:
        return {"error": {"kind": kind_of_error(error), "message": str(error)}}


if __name__ == "__main__":
    sys.exit(main())
