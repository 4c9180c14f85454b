"""An object detector without training: a SavedModel that finds shapes by their colour.

Its signature is that of TensorFlow's detection models: images in, boxes, classes and scores out,
padded to a fixed number of detections.
"""

from __future__ import annotations

import tensorflow as tf

COLORS = {
    "red": (214, 48, 40),
    "yellow": (236, 200, 44),
    "green": (40, 160, 72),
    "blue": (44, 88, 214),
}
BACKGROUND = (128, 128, 128)
# A shape by how much of its bounding box it fills: 1/2, pi/4 and 1, with the bounds in between.
SHAPES = ("triangle", "disc", "square")
FILL_BOUNDS = (0.64, 0.89)

SIZE = (192, 256)  # height and width that the model takes
CELL = 2  # pixels to a cell of the map that components are found in
DETECTIONS = 16  # per image
LEAST_CELLS = 30  # of a component; less is noise


class ColorDetector(tf.Module):
    """Nearest colour per cell (a convolution and an argmax), components, and their boxes."""

    def __init__(self) -> None:
        super().__init__()
        colors = tf.constant([*COLORS.values(), BACKGROUND], tf.float32) / 255
        # |x - c|^2 is smallest where 2 x.c - |c|^2 is largest: a convolution of 1 x 1 and a bias.
        self._weights = tf.Variable(2 * tf.transpose(colors)[tf.newaxis, tf.newaxis])
        self._bias = tf.Variable(-tf.reduce_sum(colors**2, axis=1))
        names = [f"{color} {shape}" for color in COLORS for shape in SHAPES]
        self._names = tf.Variable(tf.constant([*names, ""]), trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([None, *SIZE, 3], tf.uint8, name="image")])
    def detect(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Detections of each image, the largest first.

        Boxes are [ymin, xmin, ymax, xmax] in parts of the image; what is behind `num_detections`
        is padding.
        """
        pixels = tf.nn.avg_pool2d(tf.cast(image, tf.float32) / 255, 5, CELL, "SAME")
        logits = tf.nn.bias_add(tf.nn.conv2d(pixels, self._weights, 1, "SAME"), self._bias)
        found = tf.argmax(logits, axis=-1, output_type=tf.int32)
        scores = tf.reduce_max(tf.nn.softmax(20 * logits), axis=-1)
        return self._described(found, scores, components(found))

    def _described(
        self, found: tf.Tensor, scores: tf.Tensor, labels: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        height, width = SIZE[0] // CELL, SIZE[1] // CELL
        cells = height * width
        images = tf.shape(labels)[0]
        # A segment for each image and label; label 0 is the background.
        segments = tf.reshape(labels, [images, cells]) + (cells + 1) * tf.range(images)[:, None]
        count = images * (cells + 1)

        def per_label(reduce, values):  # [images, cells] to [images, labels]
            values = tf.broadcast_to(tf.reshape(values, [-1, cells]), [images, cells])
            flat = reduce(tf.reshape(values, [-1]), tf.reshape(segments, [-1]), count)
            return tf.reshape(flat, [images, cells + 1])

        ones = tf.ones([images, cells], tf.int32)
        areas = per_label(tf.math.unsorted_segment_sum, ones)
        areas = tf.concat([tf.zeros_like(areas[:, :1]), areas[:, 1:]], axis=1)
        largest, at = tf.math.top_k(areas, DETECTIONS)
        kept = largest >= LEAST_CELLS

        def of_kept(reduce, values):
            return tf.gather(per_label(reduce, values), at, batch_dims=1)

        ys = tf.repeat(tf.range(height), width)[tf.newaxis]
        xs = tf.tile(tf.range(width), [height])[tf.newaxis]
        low, high = tf.math.unsorted_segment_min, tf.math.unsorted_segment_max
        corners = [of_kept(low, ys), of_kept(low, xs), of_kept(high, ys) + 1, of_kept(high, xs) + 1]
        tops, lefts, bottoms, rights = (tf.where(kept, corner, 0) for corner in corners)
        fills = largest / tf.maximum(1, (bottoms - tops) * (rights - lefts))
        shapes = tf.searchsorted(tf.constant(FILL_BOUNDS, tf.float64), tf.reshape(fills, [-1]))
        colors = of_kept(high, found)
        classes = colors * len(SHAPES) + tf.reshape(shapes, tf.shape(colors))
        names = tf.gather(self._names, tf.where(kept, classes, len(COLORS) * len(SHAPES)))
        means = of_kept(tf.math.unsorted_segment_mean, scores)
        boxes = tf.stack([tops, lefts, bottoms, rights], axis=-1)
        return {
            "detection_boxes": tf.cast(boxes, tf.float32) / [height, width, height, width],
            "detection_classes": names,
            "detection_scores": tf.where(kept, means, 0),
            "num_detections": tf.reduce_sum(tf.cast(kept, tf.int32), axis=1),
        }


def components(found: tf.Tensor) -> tf.Tensor:
    """Numbers the components of equal colour: [images, height, width] from 1; 0 is background.

    Each cell begins with a number of its own and takes the largest of its neighbours of the same
    colour, until nothing changes.
    """
    height, width = SIZE[0] // CELL, SIZE[1] // CELL
    own = tf.one_hot(found, len(COLORS))
    numbers = tf.reshape(tf.range(1, height * width + 1, dtype=tf.float32), [1, height, width, 1])

    def spread(labels, _):
        wider = tf.nn.max_pool2d(labels, 3, 1, "SAME") * own
        return wider, tf.reduce_any(wider != labels)

    labels, _ = tf.while_loop(lambda _, changed: changed, spread, (own * numbers, True))
    return tf.cast(tf.reduce_max(labels, axis=-1), tf.int32)


def save_detector(folder: str) -> None:
    """Writes the SavedModel."""
    model = ColorDetector()
    tf.saved_model.save(model, folder, signatures={"serving_default": model.detect})
