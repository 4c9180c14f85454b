"""How the dataset behaves as a citizen of tf.data."""

from pathlib import Path

import pytest
import tensorflow as tf

from tests.pipe_mode_dataset.conftest import Channel, framed

RECORDS = [b"%d" % i for i in range(10)]
OFF = tf.data.experimental.AutoShardPolicy.OFF


@pytest.fixture
def fed(channel: Channel) -> Channel:
    channel.feed(*[framed(RECORDS)] * 4)
    return channel


def test_it_is_a_dataset_of_unknown_cardinality(channel: Channel) -> None:
    dataset = channel.dataset()
    assert isinstance(dataset, tf.data.Dataset)
    assert dataset.cardinality() == tf.data.UNKNOWN_CARDINALITY
    assert dataset.element_spec == tf.TensorSpec([], tf.string)
    assert channel.dataset(batch_size=4).element_spec == tf.TensorSpec([None], tf.string)


def test_auto_sharding_is_off_here_and_downstream(channel: Channel) -> None:
    dataset = channel.dataset()
    options = tf.data.Options()
    options.deterministic = False
    for made in (dataset, dataset.batch(2).map(tf.strings.length), dataset.with_options(options)):
        assert made.options().experimental_distribute.auto_shard_policy == OFF
    assert dataset.with_options(options).options().deterministic is False


def test_an_explicit_shard_is_honoured(fed: Channel) -> None:
    assert list(fed.dataset().shard(2, 1).as_numpy_iterator()) == RECORDS[1::2]


def test_the_graph_holds_every_argument(fed: Channel) -> None:
    dataset = fed.dataset(batch_size=4, drop_remainder=True, first_epoch=3, name="records")
    graph = tf.raw_ops.DatasetToGraphV2(
        input_dataset=dataset._variant_tensor, external_state_policy=1
    )
    nodes = tf.compat.v1.GraphDef.FromString(graph.numpy()).node
    (node,) = [node for node in nodes if node.op == "SmtfPipeModeDataset"]
    assert len(node.input) == 13
    assert b"records" in node.attr["metadata"].s
    assert node.attr["first_epoch"].i == 3
    assert len(node.attr["dataset_id"].s) == 32
    again = tf.data.experimental.from_variant(
        tf.raw_ops.DatasetFromGraph(graph_def=graph), dataset.element_spec
    )
    assert [batch.numpy().tolist() for batch in again] == [RECORDS[0:4], RECORDS[4:8]]


def test_serialising_says_that_pipes_are_of_this_machine(channel: Channel) -> None:
    with pytest.raises(tf.errors.FailedPreconditionError, match="named pipes of channel training"):
        tf.raw_ops.DatasetToGraphV2(
            input_dataset=channel.dataset()._variant_tensor, external_state_policy=2
        )


def test_it_works_in_a_tf_function(fed: Channel) -> None:
    dataset = fed.dataset()

    @tf.function
    def total() -> tf.Tensor:
        return dataset.reduce(tf.constant(0), lambda sum_, _: sum_ + 1)

    assert total() == len(RECORDS)


def test_static_optimisations_apply(fed: Channel, capfd: pytest.CaptureFixture[str]) -> None:
    dataset = fed.dataset().map(tf.strings.length).batch(5).prefetch(tf.data.AUTOTUNE)
    options = tf.data.Options()
    options.experimental_optimization.map_and_batch_fusion = True
    assert [b.shape[0] for b in dataset.with_options(options)] == [5, 5]
    assert "will not be optimized" not in capfd.readouterr().err


def test_where_the_writer_cannot_resume_records_are_skipped(
    channel: Channel, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As with SageMaker's agent. Saved in the middle of an epoch, and restored in the next."""
    channel.feed(*[framed(RECORDS)] * 2)
    iterator = iter(channel.dataset())
    for record in RECORDS[:4]:
        assert next(iterator).numpy() == record
    path = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "checkpoint"))
    assert [record.numpy() for record in iterator] == RECORDS[4:]
    restored = iter(channel.dataset())
    tf.train.Checkpoint(iterator=restored).restore(path).assert_consumed()
    assert [record.numpy() for record in restored] == RECORDS[4:]
    assert "4 records are skipped" in capfd.readouterr().err


def test_save_and_load(fed: Channel, tmp_path: Path) -> None:
    fed.dataset().save(str(tmp_path / "saved"))
    loaded = tf.data.Dataset.load(str(tmp_path / "saved"))
    assert sorted(loaded.as_numpy_iterator()) == sorted(RECORDS)


def test_interleaving_two_datasets_of_one_channel_gives_each_an_epoch(fed: Channel) -> None:
    first, second = fed.dataset(), fed.dataset()
    assert list(first.concatenate(second).as_numpy_iterator()) == RECORDS * 2


def test_parallel_map_keeps_the_order(fed: Channel) -> None:
    dataset = fed.dataset().map(lambda r: r + b"!", num_parallel_calls=4, deterministic=True)
    assert list(dataset.as_numpy_iterator()) == [record + b"!" for record in RECORDS]
