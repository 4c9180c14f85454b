from __future__ import annotations

import pytest

from sagemaker_tensorflow.process_handle import ProcessHandle


def test_a_process_that_gets_no_orders_ends_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    process = ProcessHandle()
    process.start()
    assert process.alive
    process.end()
    assert process._popen is not None
    assert process._popen.returncode == 0
    process.end()
    assert capfd.readouterr() == ("", "")


def test_it_ends_when_it_is_asked_to() -> None:
    process = ProcessHandle()
    process.start()
    process.ask_to_end()
    process.wait_and_clean_up()
    assert process._popen is not None
    assert process._popen.returncode == 0
    process.ask_to_end()  # there is nobody to hear it
