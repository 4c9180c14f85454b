// How the tf.data service deals a channel's objects out to its workers (sharding DYNAMIC).
#ifndef SMTF_OPS_OBJECT_SPLITS_H_
#define SMTF_OPS_OBJECT_SPLITS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "ops/split_source.h"
#include "tensorflow/core/framework/dataset.h"

namespace smtf {

// Gives out 0 to count - 1, each once. Thread-safe. (TensorFlow's IndexSplitProvider does the same,
// and is not exported by libtensorflow_framework.)
class ObjectSplits : public tensorflow::data::SplitProvider {
 public:
  explicit ObjectSplits(int64_t count) : count_(count) {}

  absl::Status GetNext(tensorflow::Tensor* split, bool* end_of_splits) override;
  absl::Status Reset() override;
  absl::Status Save(std::function<std::string(std::string)> full_name,
                    tensorflow::data::IteratorStateWriter* writer) override;
  absl::Status Restore(std::function<std::string(std::string)> full_name,
                       tensorflow::data::IteratorStateReader* reader) override;
  // Overrides TensorFlow's from 2.16 on; 2.15 has none, so it cannot say `override`.
  int64_t Cardinality() const { return count_; }

 private:
  const int64_t count_;
  std::mutex mutex_;
  int64_t next_ = 0;
};

// The other end: what a worker's iterator asks. Throws an Error where the provider fails.
NextObject NextObjectOf(std::shared_ptr<tensorflow::data::SplitProvider> splits);

}  // namespace smtf

#endif  // SMTF_OPS_OBJECT_SPLITS_H_
