// The schema of the dataset op. The kernel is in pipe_mode_dataset_kernel.cc.
//
// The name differs from the original extension's PipeModeDataset, because two ops of one name in a
// process abort the registration of the second. It must end in "Dataset" for tf.data to know it,
// and not be one of the readers that auto-sharding rewrites by name (RecordIODataset is).

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/full_type_util.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace tensorflow {
namespace {

REGISTER_OP("SmtfPipeModeDataset")
    .Input("channel: string")
    .Input("record_format: string")
    .Input("pipe_dir: string")
    .Input("state_dir: string")
    .Input("batch_size: int64")
    .Input("drop_remainder: bool")
    .Input("max_record_bytes: int64")
    .Input("max_corrupted_records_to_skip: int64")
    .Input("strip_carriage_return: bool")
    .Input("timeout_ms: int64")
    .Input("stall_timeout_ms: int64")
    .Input("benchmark: bool")
    .Input("benchmark_records_interval: int64")
    .Output("handle: variant")
    .Attr("metadata: string = ''")
    .Attr("ring_address: string = ''")
    .Attr("first_epoch: int = -1")
    .Attr("dataset_id: string = ''")
    .SetDoNotOptimize()  // TensorFlow's own readers say this of themselves
    .SetTypeConstructor(full_type::UnaryTensorContainer(TFT_DATASET, TFT_STRING))
    .SetShapeFn([](shape_inference::InferenceContext* c) {
      shape_inference::ShapeHandle unused;
      for (int i = 0; i < c->num_inputs(); ++i) {
        TF_RETURN_IF_ERROR(c->WithRank(c->input(i), 0, &unused));
      }
      return shape_inference::ScalarShape(c);
    })
    .Doc(R"doc(
A dataset of the records that arrive through a channel's named pipes, or through a ring in memory
that a prefetcher's process shares, one epoch per iterator.

channel: Name of the channel; its pipes are <pipe_dir>/<channel>_<epoch>.
record_format: "RecordIO", "TFRecord" or "TextLine".
pipe_dir: Directory of the pipes.
state_dir: Directory in which the number of the next epoch is kept.
batch_size: 0 for elements of shape [], one record each; N for elements of shape [N].
drop_remainder: With a batch size, leaves out a last element of fewer than N records.
max_record_bytes: A longer record is an error before memory is taken for it.
max_corrupted_records_to_skip: TFRecord: how many records in a row may fail their payload's CRC.
strip_carriage_return: TextLine: takes a '\r' before the '\n' off.
timeout_ms: How long to wait for the pipe to be made.
stall_timeout_ms: How long a read may wait without a byte; 0 is for ever.
benchmark: Prints totals to stdout when an iterator is destroyed.
benchmark_records_interval: Prints metrics to stdout every so many records; 0 never.
ring_address: Where a prefetcher's process is asked for the ring; empty for named pipes.
first_epoch: The epoch of the data that the first iterator to read asks for; -1 for the next.
dataset_id: Of the datasets whose iterators share that; differs for each that a script makes.
)doc");

}  // namespace
}  // namespace tensorflow
