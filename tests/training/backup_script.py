"""Lives of examples/keras_backup.py, each a process of its own.

    backup_script.py EXAMPLES_FOLDER

A line on stdin begins one, a JSON object: where its notes go, when it dies, its arguments. It is
forked from this process, as importing TensorFlow again and again would take minutes, and kills
itself when it has trained on so many batches of an epoch. Its notes are JSON lines: {"epoch": 3}
when one begins, {"read": [..]} the records of each batch that is read, {"trained": 12} after a
batch, {"weights": [..]} at the end. A line on stdout says how each ended.
"""

import json
import os
import signal
import sys
from pathlib import Path

import keras
import tensorflow as tf

sys.path.insert(0, sys.argv[1])
import keras_backup

parse, train = keras_backup.parse, keras_backup.train


class Life(keras.callbacks.Callback):
    """Notes down what comes, and ends it."""

    def __init__(self, notes: Path, dies_at: list[int] | None) -> None:
        super().__init__()
        self._notes = notes.open("a", buffering=1)
        self._dies_at = dies_at
        self._epoch = 0

    def note(self, **what: object) -> None:
        self._notes.write(json.dumps(what) + "\n")

    def parse(self, lines: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The example's, which notes the records down on the way."""

        def read(xs: tf.Tensor) -> tf.Tensor:
            records = [round(x * keras_backup.RECORDS) for x in xs.numpy()[:, 0].tolist()]
            self.note(read=records)
            return xs

        x, y = parse(lines)
        noted = tf.ensure_shape(tf.py_function(read, [x], tf.float32), [None, 1])
        return noted, y

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
        self._epoch = epoch
        self.note(epoch=epoch)

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.note(trained=batch + 1)
        if [self._epoch, batch + 1] == self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def live(notes: str, dies_at: list[int] | None, args: list[str]) -> None:
    life = Life(Path(notes), dies_at)

    def noted_train(directory: Path, epochs: int, every: int | None) -> keras.Model:
        model = train(directory, epochs, every, [life])
        life.note(weights=[weight.item() for weight in model.get_weights()])
        return model

    keras_backup.parse, keras_backup.train = life.parse, noted_train
    sys.argv[1:] = args
    keras_backup.main()


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Keras' words are for the log
        live(**json.loads(line))
        sys.stdout.flush()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
