// Records as string tensors, each copied once, from the reader into the tensor's string.
#ifndef SMTF_OPS_RECORD_TENSORS_H_
#define SMTF_OPS_RECORD_TENSORS_H_

#include <cstdint>
#include <optional>

#include "framing/record_reader.h"
#include "tensorflow/core/framework/tensor.h"

namespace smtf {

// A tensorflow::tstring as the place for a record.
class StringSink : public RecordSink {
 public:
  explicit StringSink(tensorflow::tstring* string) : string_(string) {}
  char* Allocate(size_t size) override {
    string_->resize_uninitialized(size);
    return string_->mdata();
  }

 private:
  tensorflow::tstring* string_;
};

// Fills tensors of shape [batch_size]. A batch that an Error cut short is kept and goes on with the
// next call, so that a caller who ignores the error loses only the record that caused it.
class RecordBatcher {
 public:
  RecordBatcher(int64_t batch_size, bool drop_remainder)
      : batch_size_(batch_size), drop_remainder_(drop_remainder) {}

  // The next batch, of shape [n] with 0 < n <= batch_size, or nothing at the end. Tensors come from
  // `allocator`.
  std::optional<tensorflow::Tensor> Next(RecordReader* reader, tensorflow::Allocator* allocator);

  // What was read of a batch that will never be full, of shape [n], or nothing.
  std::optional<tensorflow::Tensor> TakeRemainder(tensorflow::Allocator* allocator);

  // Whether records were read that no batch was made of yet.
  bool pending() const { return filled_ > 0; }

  // Moves past up to `count` batches; returns how many there were.
  int64_t Skip(RecordReader* reader, int64_t count);

 private:
  int64_t batch_size_;
  bool drop_remainder_;
  std::optional<tensorflow::Tensor> batch_;  // being filled
  int64_t filled_ = 0;
};

}  // namespace smtf

#endif  // SMTF_OPS_RECORD_TENSORS_H_
