from __future__ import annotations

import signal
import subprocess
import sys
import time

# Longer than serve() waits for a signal at a time. The module is not imported, as it does not go
# with TensorFlow, which other tests load.
MORE_THAN_A_TICK_SECONDS = 1.5

# serve() with a feeder that takes its time to stop. Prints what happens.
SLOW = """
import signal, time
from sagemaker_tensorflow.feeder import serve

class Slow:
    def start(self): print("start", flush=True)
    def wait_started(self, timeout): return True
    def log_errors(self): print("look", flush=True)
    def stop(self):
        print("stop", flush=True)
        time.sleep(600)

signals = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
serve(Slow(), signals, on_started=lambda: print("started", flush=True))
"""


def test_second_signal_ends_a_slow_stop() -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        assert [said.readline() for _ in range(3)] == ["start\n", "started\n", "look\n"]
        process.send_signal(signal.SIGTERM)
        while (line := said.readline()) == "look\n":
            pass
        assert line == "stop\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == -signal.SIGINT


def test_a_feeder_that_was_stopped_for_a_while_goes_on() -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as said:
        for line in ("start\n", "started\n", "look\n"):
            assert said.readline() == line
        process.send_signal(signal.SIGSTOP)
        time.sleep(MORE_THAN_A_TICK_SECONDS)  # until what it waits for is over
        process.send_signal(signal.SIGCONT)
        try:
            for _ in range(3):
                assert said.readline() == "look\n"
        finally:
            process.kill()
            process.wait()


def test_feeding_loads_no_tensorflow() -> None:
    check = "import sys, sagemaker_tensorflow.feeder; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
