"""A Keras training that can be killed at any moment and goes on where it was backed up.

Usage: python examples/keras_backup.py DIRECTORY [--epochs N] [--every BATCHES]

Kill it (kill -9) and start it again with the same DIRECTORY, where its data and backups are. `fit`
makes a new iterator for each epoch, so its checkpoints know epochs and not places in the data; what
is missing is told to `PipeModeDataset`: with `first_epoch` a training that goes on with epoch 3
gets epoch 3 of the data, shuffled as it would have been.

Without --every, Keras' own BackupAndRestore keeps the end of the last epoch. It writes the weights
and then the epoch's number: a kill between the two trains on that epoch once more. With --every,
backups are made in the middle of epochs too, each in one step, by a callback of this file, because
BackupAndRestore(save_freq=N) begins the epoch again that it was in, and after a second kill the
whole training.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset, Prefetcher, ShuffleConfig, TrainingInput

FILES = 12
RECORDS = 960
BATCH = 16


def main() -> None:
    """Trains, or goes on with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--every", type=int, metavar="BATCHES", help="default: once per epoch")
    args = parser.parse_args()
    if int(keras.__version__.partition(".")[0]) < 3:
        parser.error("this needs Keras 3: TensorFlow 2.16 or later")
    write_data(args.directory / "data")
    model = train(args.directory, args.epochs, args.every)
    weights, bias = model.get_weights()
    print(f"y = {weights.item():.3f} x + {bias.item():.3f}")


def write_data(folder: Path) -> None:
    """Files of lines "x 2x+1", unless they are there."""
    if folder.exists():
        return
    unfinished = folder.with_name("unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    for file, xs in enumerate(np.array_split(np.arange(RECORDS) / RECORDS, FILES)):
        (unfinished / f"{file:02}").write_text("".join(f"{x} {2 * x + 1}\n" for x in xs))
    unfinished.rename(folder)


def train(
    directory: Path,
    epochs: int,
    every: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.Model:
    """Trains from the last backup on, or from the beginning. Returns the model."""
    # Keras says so of every dataset whose length it cannot know beforehand.
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    data = TrainingInput(str(directory / "data"), shuffle_config=ShuffleConfig(seed=7))
    model = make_model()
    with Prefetcher({"train": data}) as feed:
        if every is None:
            fit_by_epochs(model, feed, directory / "backup", epochs, callbacks)
        else:
            backup = BackupWithinEpochs(directory / "backups", every)
            fit_by_batches(model, feed, backup, epochs, callbacks)
    return model


def make_model() -> keras.Model:
    """A built model, as backups need it: they store weights and not layers."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    return model


def batches(feed: Prefetcher, first_epoch: int, skipped: int = 0) -> tf.data.Dataset:
    """The channel from an epoch on; `skipped` batches of each are left out, by their headers."""
    lines = PipeModeDataset(
        "train", "TextLine", batch_size=BATCH, first_epoch=first_epoch, **feed.dirs
    )
    return lines.skip(skipped).map(parse).prefetch(tf.data.AUTOTUNE)


def parse(lines: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Lines [N] to x and y, [N, 1] each."""
    numbers = tf.strings.to_number(tf.strings.split(lines).to_tensor())
    return numbers[:, :1], numbers[:, 1:]


def fit_by_epochs(
    model: keras.Model,
    feed: Prefetcher,
    backup_dir: Path,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """With Keras' callback, which restores the model and says to `fit` which epoch comes."""
    backup = keras.callbacks.BackupAndRestore(str(backup_dir), double_checkpoint=True)
    data = batches(feed, epoch_to_come(backup_dir))
    model.fit(data, epochs=epochs, callbacks=[backup, *callbacks], shuffle=False, verbose=2)


def epoch_to_come(backup_dir: Path) -> int:
    """What BackupAndRestore of Keras 3 noted down."""
    noted = backup_dir / "training_metadata.json"
    return int(json.loads(noted.read_text())["epoch"]) if noted.exists() else 0


def fit_by_batches(
    model: keras.Model,
    feed: Prefetcher,
    backup: BackupWithinEpochs,
    epochs: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """With backups in the middle of epochs.

    The rest of an epoch is a `fit` of its own: Keras takes the number of batches in the first epoch
    of a `fit` for that of all others, and cuts them.
    """
    epoch, done = backup.restore(model)
    for end in (epoch + 1, epochs) if done else (epochs,):
        model.fit(
            batches(feed, epoch, done),
            initial_epoch=epoch,
            epochs=end,
            callbacks=[backup, *callbacks],
            shuffle=False,  # that is the channel's
            verbose=2,
        )
        epoch, done = end, 0


class BackupWithinEpochs(keras.callbacks.Callback):
    """Stores the model every so many batches and after each epoch.

    A backup is one file, which comes into being in one step. Its name says how far it is, so a kill
    leaves no weights that are of another place than what is said of them.
    """

    def __init__(self, folder: Path, every: int) -> None:
        super().__init__()
        self._folder, self._every = folder, every
        self._epoch = self._done_before = 0

    def restore(self, model: keras.Model) -> tuple[int, int]:
        """Loads the last backup. Returns the epoch to come, and how many batches it has behind."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stored = sorted(self._folder.glob("epoch-*.weights.h5"))
        if stored:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(stored[-1])
            self._epoch, self._done_before = map(int, re.findall(r"\d+", stored[-1].name)[:2])
        return self._epoch, self._done_before

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Counts batches from this epoch's beginning, or from where it was restored."""
        if epoch != self._epoch:
            self._epoch, self._done_before = epoch, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stores the model if it is time."""
        done = self._done_before + batch + 1
        if done % self._every == 0:
            self._store(self._epoch, done)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stores the model."""
        self._store(epoch + 1, 0)

    def _store(self, epoch: int, done: int) -> None:
        former = list(self._folder.glob("*.weights.h5"))  # also what a kill left unfinished
        path = self._folder / f"epoch-{epoch:06}-batch-{done:09}.weights.h5"
        unfinished = self._folder / "unfinished.weights.h5"
        self.model.save_weights(unfinished)
        unfinished.replace(path)
        for old in former:
            if old != path:
                old.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
