#include "protobuf/number_tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "protobuf/packed_varints.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are copied as they are stored");

constexpr uint32_t kValues = 1;
constexpr uint32_t kKeys = 2;
constexpr uint32_t kShape = 3;

// A field of another type than its number says is an unknown field, and counts nothing.
size_t CountFixed(const WireField& field, WireType alone, size_t width) {
  if (field.type == alone) return 1;
  if (field.type != WireType::kBytes) return 0;
  if (field.bytes.size() % width != 0) {
    throw WireError(std::to_string(field.bytes.size()) + " bytes of values of " +
                    std::to_string(width) + " bytes each");
  }
  return field.bytes.size() / width;
}

size_t CountVarints(const WireField& field) {
  if (field.type == WireType::kVarint) return 1;
  return field.type == WireType::kBytes ? CountPackedVarints(field.bytes) : 0;
}

template <typename Number>
Number* AppendFixed(const WireField& field, WireType alone, Number* to) {
  const size_t count = CountFixed(field, alone, sizeof(Number));
  if (count > 0) std::memcpy(to, field.bytes.data(), count * sizeof(Number));
  return to + count;
}

template <typename Number>
Number* AppendVarints(const WireField& field, Number* to, Number* to_end) {
  if (field.type == WireType::kVarint) *to++ = static_cast<Number>(field.varint);
  return field.type == WireType::kBytes ? DecodePackedVarints(field.bytes, to, to_end) : to;
}

size_t CountValues(TensorKind kind, const WireField& field) {
  switch (kind) {
    case TensorKind::kFloat32:
      return CountFixed(field, WireType::kFixed32, sizeof(float));
    case TensorKind::kFloat64:
      return CountFixed(field, WireType::kFixed64, sizeof(double));
    default:
      return CountVarints(field);
  }
}

uint64_t Product(const std::vector<uint64_t>& sizes) {
  uint64_t product = 1;
  for (const uint64_t size : sizes) {
    if (__builtin_mul_overflow(product, size, &product)) {
      // Too large, but for a size of 0, which makes it 0 wherever it stands.
      const bool empty = std::find(sizes.begin(), sizes.end(), 0u) != sizes.end();
      return empty ? 0 : std::numeric_limits<uint64_t>::max();
    }
  }
  return product;
}

}  // namespace

void NumberTensor::Numbers::Add(const WireField& field, size_t field_count) {
  count += field_count;
  ++pieces;
  last = field;
}

template <typename Visit>
void NumberTensor::ForEachPiece(const Numbers& numbers, uint32_t field_number,
                                const Visit& visit) const {
  if (numbers.pieces == 1) return visit(numbers.last);
  WireReader reader(bytes_);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == field_number) visit(field);
  }
}

NumberTensor::NumberTensor(TensorKind kind, std::string_view bytes) : bytes_(bytes) {
  WireReader reader(bytes);
  WireField field;
  while (reader.Next(&field)) {
    if (field.number == kValues) values_.Add(field, CountValues(kind, field));
    if (field.number == kKeys) keys_.Add(field, CountVarints(field));
    if (field.number == kShape) shape_.Add(field, CountVarints(field));
  }
  if (shape_.count > 0) shape_size_ = Product(Shape());
}

std::vector<uint64_t> NumberTensor::Shape() const {
  std::vector<uint64_t> shape(shape_.count);
  uint64_t* to = shape.data();
  uint64_t* const end = to + shape.size();
  ForEachPiece(shape_, kShape, [&](const WireField& field) { to = AppendVarints(field, to, end); });
  return shape;
}

void NumberTensor::CopyValues(float* to) const {
  ForEachPiece(values_, kValues,
               [&](const WireField& field) { to = AppendFixed(field, WireType::kFixed32, to); });
}

void NumberTensor::CopyValues(double* to) const {
  ForEachPiece(values_, kValues,
               [&](const WireField& field) { to = AppendFixed(field, WireType::kFixed64, to); });
}

void NumberTensor::CopyValues(int32_t* to) const {
  // Negative numbers are stored with 64 bits; protobuf cuts off what does not fit.
  int32_t* const end = to + values_.count;
  ForEachPiece(values_, kValues,
               [&](const WireField& field) { to = AppendVarints(field, to, end); });
}

void NumberTensor::CopyKeys(uint64_t* to) const {
  uint64_t* const end = to + keys_.count;
  ForEachPiece(keys_, kKeys, [&](const WireField& field) { to = AppendVarints(field, to, end); });
}

}  // namespace smtf
