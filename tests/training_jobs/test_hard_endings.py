"""Scripts that are hard on their jobs in other ways than those of test_job.py."""

from __future__ import annotations

import subprocess
import sys

from tests.training_jobs.conftest import Jobs

# Runs a job whose log is shown, and says how many bytes were shown and by how much its own memory
# grew, in MiB.
OWNER = """
import resource, sys
from sagemaker_tensorflow.training.job import TrainingJob
from sagemaker_tensorflow.training.spec import TrainingSpec

class Sink:
    size = 0
    def write(self, text):
        self.size += len(text)
    def flush(self):
        pass

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

sink = Sink()
spec = TrainingSpec(sys.argv[1], "job", metric_definitions=(("loss", "loss=(\\\\S+)"),))
job = TrainingJob(spec, jobs_dir=sys.argv[2])
before = peak()
job.start()
result = job.wait(logs=True, stream=sink)
print(result.status, sink.size, peak() - before)
print(result.failure_reason)
"""
MIB = 64
LARGE_LOG = f"""
import sys
block = ("x" * 99 + chr(10)) * 10_000
for n in range({MIB} * (1 << 20) // len(block)):
    sys.stdout.write(block)
sys.stdout.write("y" * (8 << 20))
raise SystemExit("the end")
"""


def test_a_large_log(jobs: Jobs) -> None:
    """It goes past, and not into memory; also a line of 8 MiB does."""
    script = jobs.script(LARGE_LOG)
    ran = subprocess.run(
        [sys.executable, "-c", OWNER, script, jobs.jobs_dir],
        capture_output=True,
        text=True,
        check=True,
    )
    ended, reason = ran.stdout.splitlines()
    status, shown, grown = ended.split()
    log = jobs.jobs_dir / "job" / "algo-1.log"
    assert status == "Failed"
    assert int(shown) == log.stat().st_size > MIB << 20
    assert int(grown) < MIB / 2
    assert reason.endswith("the end")
    with log.open("w"):  # it is kept, but need not be large
        pass
