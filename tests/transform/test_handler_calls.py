"""Retries and timeouts around scripts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sagemaker_tensorflow.errors import DeadlineExceededError
from sagemaker_tensorflow.transform.handler_calls import HandlerCalls
from sagemaker_tensorflow.transform.handlers import HandlerError, Handlers
from tests.transform.array_replicas import ArrayReplicas

SCRIPT = """
import time

calls = {}

def handler(data, context):
    body = data.read()
    calls[body] = calls.get(body, 0) + 1
    if body == b"slow":
        time.sleep(1)
    if body == b"bad" or (body == b"shaky" and calls[body] < 3):
        raise ValueError("no " + body.decode())
    return body.upper() + b" %d" % calls[body], context.accept_header
"""


@pytest.fixture
def handlers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handlers:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    script = tmp_path / "inference.py"
    script.write_text(SCRIPT)
    return Handlers(script, ArrayReplicas())


def test_what_fails_is_tried_again(handlers: Handlers) -> None:
    with handlers:
        call = HandlerCalls(handlers, "text/plain", "text/csv", 60, max_retries=2)
        result = call(b"shaky")
        assert (result.body, result.content_type) == (b"SHAKY 3", "text/csv")
        assert call.retries == 2
        with pytest.raises(HandlerError, match="no bad"):
            call(b"bad")
        assert call.retries == 4


def test_a_call_that_takes_too_long(handlers: Handlers) -> None:
    with handlers:
        call = HandlerCalls(handlers, "", "", 0.2, max_retries=0)
        with pytest.raises(DeadlineExceededError, match=r"within 0\.2 s"):
            call(b"slow")
        assert call(b"next").body == b"NEXT 1"


def test_calls_of_many_threads(handlers: Handlers) -> None:
    payloads = [b"p%d" % number for number in range(100)]
    with handlers, ThreadPoolExecutor(8) as pool:
        results = pool.map(HandlerCalls(handlers, "", "", 60, 0), payloads)
        assert [result.body for result in results] == [
            payload.upper() + b" 1" for payload in payloads
        ]
