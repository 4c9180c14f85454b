from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

from sagemaker_tensorflow.process_identity import ProcessIdentity

TELL = (
    "import json; from sagemaker_tensorflow.process_identity import ProcessIdentity; "
    "print(json.dumps(ProcessIdentity.this_process().to_json()), flush=True); input()"
)


def test_a_process_runs_until_it_has_ended() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", TELL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None and child.stdout is not None
    identity = ProcessIdentity.from_json(json.loads(child.stdout.readline()))
    assert identity.pid == child.pid
    assert identity.is_running() is True
    # Another process with the same number has begun at another time.
    assert dataclasses.replace(identity, process_start=1).is_running() is False
    child.stdin.close()
    child.stdout.close()
    child.wait()
    assert identity.is_running() is False


def test_elsewhere() -> None:
    here = ProcessIdentity.this_process()
    container = dataclasses.replace(here, pid_namespace="pid:[1]")
    assert container.is_running() is None
    before = dataclasses.replace(here, boot="another")
    assert (before.is_running(), before.was_before_a_reboot()) == (None, True)
    far = dataclasses.replace(before, host="far")
    assert (far.is_running(), far.was_before_a_reboot()) == (None, False)
    assert not here.was_before_a_reboot()
