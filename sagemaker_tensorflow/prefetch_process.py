"""The process behind `Prefetcher`: ``python -m sagemaker_tensorflow.prefetch_process``.

It talks JSON, a line a message. The first line on stdin holds its `PrefetchOrders`; the first on
stdout is ``{"started": true}`` or ``{"error": {"kind": ..., "message": ...}}``. Then
``{"request": "stats", "id": n}`` is answered by ``{"id": n, "stats": {channel: {...}}}`` or
``{"id": n, "error": {...}}``, and ``{"request": "stop"}`` ends it. So do the end of stdin, the
death of its owner and SIGTERM; and, after ``{"request": "release"}``, the end of the last reader.
An owner may start it before it knows what to do, and may have nothing for it: ``{"request":
"stop"}`` instead of orders ends it too.
Logs go to stderr. No secret passes here: credentials are found by boto3, in this process.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from sagemaker_tensorflow.errors import PipeModeDatasetException, kind_of_error
from sagemaker_tensorflow.json_lines import JsonLines
from sagemaker_tensorflow.prefetch_orders import PrefetchOrders

if TYPE_CHECKING:
    from pathlib import Path

    from sagemaker_tensorflow.feeder import Feeder

_STOP_SIGNALS = {signal.SIGTERM}
# How often a process whose owner needs it no more looks whether its readers are gone.
_LOOK_SECONDS = 0.05
# How many looks in a row have to find none: one may be about to say that it is there.
_QUIET_LOOKS = 2
# How often one that waits for its orders looks whether its owner lives.
_ORDERS_SECONDS = 5.0


def main() -> int:
    """Runs until told to stop. Returns the exit status: 1 if it could not start."""
    # Before the owner can have died unseen.
    owner_pid = os.getppid()
    # A terminal sends Ctrl-C to this process too; its owner decides what that means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    owner = JsonLines(sys.stdin.fileno(), _claim_stdout())
    importlib.import_module("sagemaker_tensorflow.feeder")  # while the owner may be busy
    orders = _orders(owner, owner_pid)
    if orders is None:
        return 0
    logging.basicConfig(format="%(asctime)s smtf %(levelname)s %(message)s")
    logging.getLogger("sagemaker_tensorflow").setLevel(orders.log_level)
    try:
        try:
            _serve(orders, owner, owner_pid)
        except PipeModeDatasetException as error:
            owner.send({"error": {"kind": kind_of_error(error), "message": str(error)}})
            return 1
    except BrokenPipeError:  # the owner is gone before it could be told how it went
        _remove(orders.temporary_dir)
    return 0


def _orders(owner: JsonLines, owner_pid: int) -> PrefetchOrders | None:
    """Waits for them; None when there will be none."""
    # A dead owner's stdin ends as well, unless a child that it forked still holds it.
    while os.getppid() == owner_pid:
        try:
            message = owner.receive(_ORDERS_SECONDS)
            return None if message.get("request") == "stop" else PrefetchOrders.from_json(message)
        except TimeoutError:
            continue
        except EOFError:
            break
    return None


def _claim_stdout() -> int:
    """Takes stdout for the conversation; whatever else is printed goes to stderr."""
    private = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return private


def _serve(orders: PrefetchOrders, owner: JsonLines, owner_pid: int) -> None:
    from sagemaker_tensorflow.feeder import Feeder, serve

    feeder = Feeder(
        orders.channels,
        outlet=orders.outlet,
        config=orders.config,
        s3_options=orders.s3_options,
        host=orders.host,
    )
    end = _End()
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
        _remove(orders.temporary_dir)


def _remove(directory: Path | None) -> None:
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)


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
        while (message := owner.receive())["request"] != "stop":
            if message["request"] == "stats":
                owner.send({"id": message["id"], **_stats(feeder)})
            else:
                _EndWithReaders(feeder, end).start()
    except (EOFError, BrokenPipeError):
        pass  # without a word: an owner that lives says "stop"
    end.begin()


class _EndWithReaders(threading.Thread):
    """Waits until nobody is connected any more, which new readers can keep from happening."""

    def __init__(self, feeder: Feeder, end: _End) -> None:
        super().__init__(name="smtf-readers", daemon=True)
        self._feeder = feeder
        self._end = end

    def run(self) -> None:
        quiet = 0
        while quiet < _QUIET_LOOKS:
            time.sleep(_LOOK_SECONDS)
            quiet = 0 if self._feeder.connections() > 0 else quiet + 1
        self._end.begin()


def _stats(feeder: Feeder) -> dict[str, Any]:
    try:
        return {"stats": {name: stats.to_json() for name, stats in feeder.stats().items()}}
    except PipeModeDatasetException as error:
        return {"error": {"kind": kind_of_error(error), "message": str(error)}}


if __name__ == "__main__":
    sys.exit(main())
