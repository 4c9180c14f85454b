#include "ops/object_splits.h"

#include <utility>

#include "errors.h"

namespace smtf {
namespace {

using tensorflow::Tensor;
using tensorflow::data::IteratorStateReader;
using tensorflow::data::IteratorStateWriter;
using tensorflow::data::SplitProvider;

// The name of what a checkpoint holds.
constexpr char kNext[] = "next_object";

}  // namespace

absl::Status ObjectSplits::GetNext(Tensor* split, bool* end_of_splits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  *end_of_splits = next_ == count_;
  if (!*end_of_splits) {
    *split = Tensor(tensorflow::DT_INT64, tensorflow::TensorShape({}));
    split->scalar<int64_t>()() = next_++;
  }
  return absl::OkStatus();
}

absl::Status ObjectSplits::Reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  next_ = 0;
  return absl::OkStatus();
}

absl::Status ObjectSplits::Save(std::function<std::string(std::string)> full_name,
                                IteratorStateWriter* writer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return writer->WriteScalar(full_name(kNext), next_);
}

absl::Status ObjectSplits::Restore(std::function<std::string(std::string)> full_name,
                                   IteratorStateReader* reader) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return reader->ReadScalar(full_name(kNext), &next_);
}

NextObject NextObjectOf(std::shared_ptr<SplitProvider> splits) {
  return [splits = std::move(splits)]() -> std::optional<uint64_t> {
    Tensor split;
    bool end_of_splits = false;
    const absl::Status status = splits->GetNext(&split, &end_of_splits);
    if (!status.ok()) {
      throw Error(ErrorKind::kUnavailable,
                  "asking which object is next: " + std::string(status.message()));
    }
    if (end_of_splits) return std::nullopt;
    return static_cast<uint64_t>(split.scalar<int64_t>()());
  };
}

}  // namespace smtf
