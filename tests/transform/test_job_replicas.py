"""A whole job on several devices: all of them work, and results are right and in order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.transform.whole_jobs import save_doubler, write_files, written

# Devices have to be configured before TensorFlow runs anything, so it is done in a new process.
_JOB = """
import collections, json, sys
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration() for _ in range(3)]
tf.config.set_logical_device_configuration(cpu, parts)

from sagemaker_tensorflow.transform.job import TransformJob
from sagemaker_tensorflow.transform.saved_models import Model
from tests.transform.whole_jobs import csv_spec

calls = collections.Counter()
run = Model.run
def counted(self, inputs):
    calls[self.device] += 1
    return run(self, inputs)
Model.run = counted

names = [device.name for device in tf.config.list_logical_devices("CPU")]
model, data, out = sys.argv[1:]
result = TransformJob(csv_spec(model, data, out, batch_size=7), devices=names).run()
print(json.dumps({"status": result.status, "records": result.records, "calls": calls}))
"""


def test_a_job_on_three_devices(tmp_path: Path) -> None:
    """Batches go across objects, of which some are empty and some longer than many batches."""
    sizes = [0, 1, 500, 3, 0, 1000, 6, 7, 8, 2000, 1]
    model = save_doubler(tmp_path / "model")
    rows = {
        f"{number:02}": [(number, row) for row in range(size)] for number, size in enumerate(sizes)
    }
    data = write_files(
        tmp_path / "data",
        {name: b"".join(b"%d,%d\n" % row for row in of) for name, of in rows.items()},
    )
    script = [sys.executable, "-c", _JOB, model, f"{data}/", str(tmp_path / "out")]
    done = subprocess.run(script, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["status"], told["records"]) == ("Completed", sum(sizes))
    assert len(told["calls"]) == 3
    assert min(told["calls"].values()) > 0
    assert written(tmp_path / "out") == {
        f"{name}.out": b"".join(b"%d.0,%d.0\n" % (2 * a, 2 * b) for a, b in of)
        for name, of in rows.items()
    }
