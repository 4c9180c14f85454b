// The numbers in a Float32Tensor, Float64Tensor or Int32Tensor of a Record.
//
//   repeated <number> values = 1 [packed]; repeated uint64 keys = 2 [packed];
//   repeated uint64 shape = 3 [packed];
//
// Keys are there where the tensor is sparse: for each value, its place in C order.
#ifndef SMTF_PROTOBUF_NUMBER_TENSOR_H_
#define SMTF_PROTOBUF_NUMBER_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "protobuf/record_message.h"
#include "protobuf/wire_reader.h"

namespace smtf {

// Counts at construction, then copies; throws a WireError where the bytes are no tensor. They must
// outlive it. Numbers may be packed or not, and in any number of pieces, as protobuf's parsers have
// to take them.
class NumberTensor {
 public:
  // `kind` is one of the three with numbers.
  NumberTensor(TensorKind kind, std::string_view bytes);

  size_t values() const { return values_.count; }
  size_t keys() const { return keys_.count; }
  // How many numbers the tensor's own shape has room for, at most 2^64 - 1; nothing without one.
  std::optional<uint64_t> shape_size() const { return shape_size_; }
  std::vector<uint64_t> Shape() const;

  // Room for values() numbers, whose type is that of the tensor's kind.
  void CopyValues(float* to) const;
  void CopyValues(double* to) const;
  void CopyValues(int32_t* to) const;
  // Room for keys() numbers.
  void CopyKeys(uint64_t* to) const;

 private:
  // The numbers of one field: in one packed run, as every known writer has them, or in pieces that
  // are looked for again.
  struct Numbers {
    void Add(const WireField& field, size_t field_count);

    size_t count = 0;
    size_t pieces = 0;
    WireField last;
  };
  template <typename Visit>
  void ForEachPiece(const Numbers& numbers, uint32_t field_number, const Visit& visit) const;

  const std::string_view bytes_;
  Numbers values_;
  Numbers keys_;
  Numbers shape_;
  std::optional<uint64_t> shape_size_;
};

}  // namespace smtf

#endif  // SMTF_PROTOBUF_NUMBER_TENSOR_H_
