// The tf.data kernel: parses arguments, makes iterators, maps errors. Framing, pipes and epochs are
// in csrc/framing and csrc/pipe.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/dataset_arguments.h"
#include "ops/error_status.h"
#include "ops/malloc_tuning.h"
#include "ops/object_splits.h"
#include "ops/pipe_mode_iterator.h"
#include "ring/count_ring_objects.h"
#include "ring/ring_lease.h"
#include "tensorflow/core/data/name_utils.h"
#include "tensorflow/core/framework/dataset.h"
#include "tensorflow/core/framework/dataset_options.pb.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/platform/logging.h"

namespace smtf {
namespace {

using tensorflow::DataTypeVector;
using tensorflow::DT_STRING;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::PartialTensorShape;
using tensorflow::data::DatasetBase;
using tensorflow::data::IteratorBase;
using tensorflow::data::SerializationContext;
using tensorflow::data::SplitProvider;

// To the end of a list, at least: of a hundred million objects that takes the better part of it.
constexpr std::chrono::hours kListingTimeout{1};

class Dataset : public DatasetBase {
 public:
  Dataset(OpKernelContext* ctx, Arguments arguments, Attributes attributes, PipeModeConfig config)
      : DatasetBase(tensorflow::data::DatasetContext(ctx)),
        arguments_(std::move(arguments)),
        attributes_(std::move(attributes)),
        config_(std::move(config)),
        shapes_({OutputShape(arguments_)}) {
    // Each host has pipes of its own. TensorFlow's default would read them all on every worker and
    // keep each n-th record.
    tensorflow::data::Options options;
    options.mutable_distribute_options()->set_auto_shard_policy(
        tensorflow::data::AutoShardPolicy::OFF);
    set_options(options);
    if (!config_.ring_address.empty()) lease_.emplace(config_.ring_address);
  }

  // Making an iterator touches neither pipe nor state: the epoch is taken at the first read.
  std::unique_ptr<IteratorBase> MakeIteratorInternal(const std::string& prefix) const override {
    // name_utils::IteratorPrefix is not exported by TensorFlow 2.15 and 2.16.
    return MakePipeModeIterator(
        {this, prefix + "::" + kDatasetType}, config_,
        {arguments_.batch_size, arguments_.drop_remainder},
        {arguments_.benchmark, static_cast<uint64_t>(arguments_.benchmark_records_interval)});
  }

  const DataTypeVector& output_dtypes() const override {
    static const DataTypeVector* dtypes = new DataTypeVector({DT_STRING});
    return *dtypes;
  }

  const std::vector<PartialTensorShape>& output_shapes() const override { return shapes_; }

  std::string DebugString() const override {
    return std::string(kDatasetType) + "Dataset(" + std::string(arguments_.channel) + ")";
  }

  int64_t CardinalityInternal(tensorflow::data::CardinalityOptions) const override {
    return tensorflow::data::kUnknownCardinality;
  }

  absl::Status InputDatasets(std::vector<const DatasetBase*>* inputs) const override {
    inputs->clear();
    return absl::OkStatus();
  }

  // For sharding DYNAMIC of the tf.data service. Waits for the end of the list.
  absl::Status MakeSplitProviders(
      std::vector<std::unique_ptr<SplitProvider>>* splits) const override {
    if (config_.ring_address.empty()) return DatasetBase::MakeSplitProviders(splits);
    try {
      RingCallOptions options;
      options.address = config_.ring_address;
      options.channel = config_.channel;
      options.timeout = std::max<std::chrono::milliseconds>(config_.timeout, kListingTimeout);
      options.log = config_.log;
      const Wakeup never;
      const uint64_t count = CountRingObjects(std::move(options), &never);
      splits->push_back(std::make_unique<ObjectSplits>(static_cast<int64_t>(count)));
      return absl::OkStatus();
    } catch (const Error& error) {
      return ToStatus(error);
    }
  }

  absl::Status CheckExternalState() const override {
    const std::string what =
        config_.ring_address.empty()
            ? " reads the named pipes of channel " + config_.channel + " in " + config_.pipe_dir +
                  ", which exist"
            : " reads channel " + config_.channel +
                  " from a prefetcher that from_uri has started, which can be reached";
    return absl::FailedPreconditionError(DebugString() + what + " on this machine only");
  }

 protected:
  absl::Status AsGraphDefInternal(SerializationContext*, DatasetGraphDefBuilder* builder,
                                  tensorflow::Node** output) const override {
    std::vector<tensorflow::Node*> inputs;
    TF_RETURN_IF_ERROR(Arguments::ForEach(arguments_, [&](const char*, const auto& value) {
      inputs.push_back(nullptr);
      return builder->AddScalar(value, &inputs.back());
    }));
    std::vector<std::pair<absl::string_view, tensorflow::AttrValue>> attrs;
    TF_RETURN_IF_ERROR(Attributes::ForEach(attributes_, [&](const char* name, const auto& value) {
      attrs.emplace_back(name, builder->BuildAttrValue(value));
      return absl::OkStatus();
    }));
    return builder->AddDataset(this, inputs, attrs, output);
  }

 private:
  static PartialTensorShape OutputShape(const Arguments& arguments) {
    if (arguments.batch_size == 0) return PartialTensorShape({});
    return PartialTensorShape({arguments.drop_remainder ? arguments.batch_size : -1});
  }

  const Arguments arguments_;
  const Attributes attributes_;
  const PipeModeConfig config_;
  const std::vector<PartialTensorShape> shapes_;
  // As long as this can be iterated over somebody has to be there to read from.
  std::optional<RingLease> lease_;
};

class PipeModeDatasetOp : public tensorflow::data::DatasetOpKernel {
 public:
  explicit PipeModeDatasetOp(OpKernelConstruction* ctx) : DatasetOpKernel(ctx) {
    OP_REQUIRES_OK(ctx, Attributes::ForEach(attributes_, [&](const char* name, auto& value) {
                     return ctx->GetAttr(name, &value);
                   }));
  }

  void MakeDataset(OpKernelContext* ctx, DatasetBase** output) override {
    TuneMallocOnce();
    Arguments arguments;
    OP_REQUIRES_OK(ctx, Arguments::ForEach(arguments, [&](const char* name, auto& value) {
                     using Value = std::remove_reference_t<decltype(value)>;
                     return tensorflow::data::ParseScalarArgument<Value>(ctx, name, &value);
                   }));
    OP_REQUIRES_OK(ctx, Validate(arguments, attributes_));
    try {
      PipeModeConfig config = MakeConfig(arguments, attributes_);
      *output = new Dataset(ctx, std::move(arguments), attributes_, std::move(config));
    } catch (const Error& error) {
      ctx->CtxFailure(ToStatus(error));
    }
  }

 private:
  Attributes attributes_;
};

REGISTER_KERNEL_BUILDER(Name("SmtfPipeModeDataset").Device(tensorflow::DEVICE_CPU),
                        PipeModeDatasetOp);

}  // namespace
}  // namespace smtf
