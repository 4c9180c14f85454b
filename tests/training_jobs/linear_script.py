"""A training script as users write them for SageMaker: learns y = 3x + 2 from a Pipe channel."""

import argparse
import os

import tensorflow as tf

from sagemaker_tensorflow import PipeModeDataset


def input_fn(channel: str, epochs: int) -> tf.data.Dataset:
    """Batches of ``[n, 2]``: x and y."""
    records = PipeModeDataset(channel, "TFRecord", timeout=60, stall_timeout=60)
    return records.repeat(epochs).map(lambda record: tf.io.decode_raw(record, tf.float32)).batch(16)


class Line(tf.Module):
    """Two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.slope, self.offset = tf.Variable(0.0), tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, name="x")])
    def predict(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """``[n]``."""
        return {"y": self.slope * x[:, 0] + self.offset}

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def train(self, batch: tf.Tensor) -> None:
        """One step of gradient descent."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.predict(batch[:, :1])["y"] - batch[:, 1]) ** 2)
        variables = [self.slope, self.offset]
        for variable, slope in zip(variables, tape.gradient(loss, variables), strict=True):
            variable.assign_sub(0.4 * slope)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--model_dir")
    args = parser.parse_args()
    line = Line()
    count = 0
    for batch in input_fn("training", args.epochs):
        line.train(batch)
        count += len(batch)
    print(f"trained on {count} records")
    tf.saved_model.save(line, f"{os.environ['SM_MODEL_DIR']}/1", signatures=line.predict)


if __name__ == "__main__":
    main()
