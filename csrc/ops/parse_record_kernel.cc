// The kernel that parses a batch of Amazon's RecordIO-protobuf records: it reads attributes,
// allocates outputs, spreads the batch over threads and maps errors. The format is in
// csrc/protobuf.

#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.h"
#include "ops/error_status.h"
#include "protobuf/record_message.h"
#include "protobuf/tensor_request.h"
#include "protobuf/tensor_rows.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/util/work_sharder.h"

namespace smtf {
namespace {

using tensorflow::DataType;
using tensorflow::DataTypeSize;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::OpOutputList;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::tstring;

// Cycles, for Shard to decide how many threads a batch is worth: for a record whatever its size,
// and for a byte of it.
constexpr int64_t kCyclesPerRecord = 300;
constexpr int64_t kCyclesPerByte = 1;

TensorKind KindOf(DataType type) {
  switch (type) {
    case tensorflow::DT_FLOAT:
      return TensorKind::kFloat32;
    case tensorflow::DT_DOUBLE:
      return TensorKind::kFloat64;
    default:
      return TensorKind::kInt32;  // the schema allows no other
  }
}

// The attributes of the dense or of the sparse tensors.
absl::Status GetRequests(OpKernelConstruction* ctx, const std::string& prefix,
                         std::vector<TensorRequest>* requests) {
  std::vector<std::string> maps, names;
  std::vector<DataType> types;
  std::vector<TensorShape> shapes;
  TF_RETURN_IF_ERROR(ctx->GetAttr(prefix + "_maps", &maps));
  TF_RETURN_IF_ERROR(ctx->GetAttr(prefix + "_names", &names));
  TF_RETURN_IF_ERROR(ctx->GetAttr(prefix + "_types", &types));
  TF_RETURN_IF_ERROR(ctx->GetAttr(prefix + "_shapes", &shapes));
  if (maps.size() != names.size() || types.size() != names.size() ||
      shapes.size() != names.size()) {
    return absl::InvalidArgumentError(prefix + "_maps, _names, _types and _shapes must have one " +
                                      "entry for each tensor");
  }
  for (size_t i = 0; i < names.size(); ++i) {
    TensorRequest request;
    request.map = maps[i] == "features" ? RecordMap::kFeatures : RecordMap::kLabel;
    request.name = names[i];
    request.kind = KindOf(types[i]);
    for (const int64_t size : shapes[i].dim_sizes()) request.shape.push_back(size);
    requests->push_back(std::move(request));
  }
  return absl::OkStatus();
}

RecordFinder MakeFinder(const std::vector<TensorRequest>& dense,
                        const std::vector<TensorRequest>& sparse) {
  std::vector<RecordFinder::Name> names;
  for (const TensorRequest& request : dense) names.push_back({request.map, request.name});
  for (const TensorRequest& request : sparse) names.push_back({request.map, request.name});
  return RecordFinder(names);
}

// The failure of the record that comes first in the batch, whichever thread is first to fail.
class FirstFailure {
 public:
  void Note(int64_t record, absl::Status status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (record >= record_) return;
    record_ = record;
    status_ = std::move(status);
  }

  absl::Status Take(int64_t records) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (status_.ok()) return status_;
    return absl::Status(status_.code(), "record " + std::to_string(record_) + " of " +
                                            std::to_string(records) + ": " +
                                            std::string(status_.message()));
  }

 private:
  std::mutex mutex_;
  int64_t record_ = std::numeric_limits<int64_t>::max();
  absl::Status status_;
};

// Calls `body(record, &scratch)` for all records of the batch, in as many threads as they are
// worth, each with a Scratch of its own. A thread stops at its first failure, but none before an
// earlier record was tried.
template <typename Scratch, typename Body>
absl::Status ForEachRecord(OpKernelContext* ctx, int64_t records, int64_t cycles_per_record,
                           const Body& body) {
  FirstFailure failure;
  const auto parse_range = [&](int64_t begin, int64_t end) {
    int64_t record = begin;
    try {
      for (Scratch scratch; record < end; ++record) body(record, &scratch);
    } catch (const Error& error) {
      failure.Note(record, ToStatus(error));
    } catch (const std::exception& error) {
      failure.Note(record, absl::InternalError(error.what()));
    }
  };
  const auto& workers = *ctx->device()->tensorflow_cpu_worker_threads();
  tensorflow::Shard(workers.num_threads, workers.workers, records, cycles_per_record, parse_range);
  return failure.Take(records);
}

// One call of the op.
class Batch {
 public:
  Batch(OpKernelContext* ctx, const RecordFinder& finder, const std::vector<TensorRequest>& dense,
        const std::vector<TensorRequest>& sparse)
      : ctx_(ctx),
        finder_(finder),
        dense_(dense),
        sparse_(sparse),
        records_(ctx->input(0).vec<tstring>()),
        size_(records_.size()) {}

  absl::Status Parse() {
    TF_RETURN_IF_ERROR(AllocateDense());
    sparse_messages_.resize(static_cast<size_t>(size_) * sparse_.size());
    counts_.resize(sparse_messages_.size());
    const int64_t cycles = CyclesPerRecord();
    TF_RETURN_IF_ERROR(ForEachRecord<Found>(
        ctx_, size_, cycles, [this](int64_t record, Found* found) { ParseRecord(record, found); }));
    for (size_t i = 0; i < sparse_.size(); ++i) TF_RETURN_IF_ERROR(ParseSparse(i, cycles));
    return absl::OkStatus();
  }

 private:
  using Found = std::vector<TensorMessage>;

  std::string_view RecordAt(int64_t record) const {
    return {records_(record).data(), records_(record).size()};
  }

  int64_t CyclesPerRecord() const {
    int64_t bytes = 0;
    for (int64_t i = 0; i < size_; ++i) bytes += static_cast<int64_t>(records_(i).size());
    return kCyclesPerRecord + (size_ > 0 ? kCyclesPerByte * bytes / size_ : 0);
  }

  absl::Status AllocateDense() {
    OpOutputList outputs;
    TF_RETURN_IF_ERROR(ctx_->output_list("dense", &outputs));
    for (int i = 0; i < outputs.size(); ++i) {
      Tensor* rows = nullptr;
      TensorShape shape({size_});
      for (const int64_t size : dense_[i].shape) {
        TF_RETURN_IF_ERROR(shape.AddDimWithStatus(size));
      }
      TF_RETURN_IF_ERROR(outputs.allocate(i, shape, &rows));
      row_bytes_.push_back(dense_[i].size() * DataTypeSize(rows->dtype()));
      rows_.push_back(static_cast<char*>(rows->data()));
    }
    return absl::OkStatus();
  }

  // Fills the dense rows, and counts the values of the sparse ones.
  void ParseRecord(int64_t record, Found* found) {
    const std::string_view bytes = RecordAt(record);
    found->resize(dense_.size() + sparse_.size());
    finder_.Find(bytes, found->data());
    for (size_t i = 0; i < dense_.size(); ++i) {
      const TensorMessage& message = (*found)[i];
      CheckKind(dense_[i], message, bytes);
      FillDenseRow(dense_[i], message, rows_[i] + static_cast<size_t>(record) * row_bytes_[i]);
    }
    for (size_t i = 0; i < sparse_.size(); ++i) {
      TensorMessage& message = (*found)[dense_.size() + i];
      CheckKind(sparse_[i], message, bytes);
      const size_t place = i * static_cast<size_t>(size_) + static_cast<size_t>(record);
      counts_[place] = static_cast<int64_t>(CountSparseValues(sparse_[i], message));
      sparse_messages_[place] = std::move(message);
    }
  }

  absl::Status ParseSparse(size_t i, int64_t cycles) {
    const TensorRequest& request = sparse_[i];
    const TensorMessage* messages = sparse_messages_.data() + i * static_cast<size_t>(size_);
    const int64_t* counts = counts_.data() + i * static_cast<size_t>(size_);
    std::vector<int64_t> begins(static_cast<size_t>(size_));
    int64_t total = 0;
    for (int64_t record = 0; record < size_; ++record) {
      begins[record] = total;
      total += counts[record];
    }
    const int64_t rank = 1 + static_cast<int64_t>(request.shape.size());
    Tensor *indices = nullptr, *values = nullptr;
    TF_RETURN_IF_ERROR(Allocate("sparse_indices", i, TensorShape({total, rank}), &indices));
    TF_RETURN_IF_ERROR(Allocate("sparse_values", i, TensorShape({total}), &values));
    TF_RETURN_IF_ERROR(SetDenseShape(i));
    int64_t* const first_index = indices->flat<int64_t>().data();
    char* const first_value = static_cast<char*>(values->data());
    const int64_t width = DataTypeSize(values->dtype());
    using Keys = std::vector<uint64_t>;
    return ForEachRecord<Keys>(ctx_, size_, cycles, [&](int64_t record, Keys* keys) {
      FillSparseRow(request, messages[record], record, first_index + begins[record] * rank,
                    first_value + begins[record] * width, keys);
    });
  }

  absl::Status SetDenseShape(size_t i) {
    Tensor* shape = nullptr;
    const std::vector<int64_t>& sizes = sparse_[i].shape;
    const int64_t rank = 1 + static_cast<int64_t>(sizes.size());
    TF_RETURN_IF_ERROR(Allocate("sparse_dense_shapes", i, TensorShape({rank}), &shape));
    auto dimensions = shape->vec<int64_t>();
    dimensions(0) = size_;
    for (size_t axis = 0; axis < sizes.size(); ++axis) dimensions(axis + 1) = sizes[axis];
    return absl::OkStatus();
  }

  absl::Status Allocate(const char* list, size_t i, const TensorShape& shape, Tensor** tensor) {
    OpOutputList outputs;
    TF_RETURN_IF_ERROR(ctx_->output_list(list, &outputs));
    return outputs.allocate(static_cast<int>(i), shape, tensor);
  }

  OpKernelContext* const ctx_;
  const RecordFinder& finder_;
  const std::vector<TensorRequest>& dense_;
  const std::vector<TensorRequest>& sparse_;
  const tensorflow::TTypes<tstring>::ConstVec records_;
  const int64_t size_;
  // Of each dense tensor: where its rows are, and how long one is.
  std::vector<char*> rows_;
  std::vector<size_t> row_bytes_;
  // Of each sparse tensor and, within it, of each record.
  std::vector<TensorMessage> sparse_messages_;
  std::vector<int64_t> counts_;
};

class ParseRecordOp : public tensorflow::OpKernel {
 public:
  explicit ParseRecordOp(OpKernelConstruction* ctx) : OpKernel(ctx) {
    int num_sparse = 0;
    OP_REQUIRES_OK(ctx, GetRequests(ctx, "dense", &dense_));
    OP_REQUIRES_OK(ctx, GetRequests(ctx, "sparse", &sparse_));
    OP_REQUIRES_OK(ctx, ctx->GetAttr("num_sparse", &num_sparse));
    OP_REQUIRES(ctx, static_cast<size_t>(num_sparse) == sparse_.size(),
                absl::InvalidArgumentError("num_sparse must be the number of sparse_names"));
    for (const TensorRequest& request : sparse_) {
      OP_REQUIRES(ctx, !request.shape.empty(),
                  absl::InvalidArgumentError(request.Describe() +
                                             " is sparse and its shape has no dimensions"));
    }
    finder_ = MakeFinder(dense_, sparse_);
  }

  void Compute(OpKernelContext* ctx) override {
    OP_REQUIRES(ctx, tensorflow::TensorShapeUtils::IsVector(ctx->input(0).shape()),
                absl::InvalidArgumentError("records must have the shape [N], not " +
                                           ctx->input(0).shape().DebugString()));
    OP_REQUIRES_OK(ctx, Batch(ctx, finder_, dense_, sparse_).Parse());
  }

 private:
  std::vector<TensorRequest> dense_;
  std::vector<TensorRequest> sparse_;
  RecordFinder finder_{{}};
};

REGISTER_KERNEL_BUILDER(Name("SmtfParseRecordProtobuf").Device(tensorflow::DEVICE_CPU),
                        ParseRecordOp);

}  // namespace
}  // namespace smtf
