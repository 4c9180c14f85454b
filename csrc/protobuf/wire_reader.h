// The wire format of protocol buffers, pulled field by field out of bytes in memory.
//
// Written here and not taken from libprotobuf, because the op lives in TensorFlow's process.
// TensorFlow carries a libprotobuf of its own and exports its symbols; a second one, of another
// version, binds to the first one's functions, or registers a file a second time and aborts. The
// headers that fit TensorFlow's differ with each minor version. And what is needed is little: four
// types of fields, and numbers that go from the record to the tensor with one copy, where generated
// code would make a message of them first.
//
// Source: https://protobuf.dev/programming-guides/encoding
#ifndef SMTF_PROTOBUF_WIRE_READER_H_
#define SMTF_PROTOBUF_WIRE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "errors.h"

namespace smtf {

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t varint = 0;     // of kVarint
  std::string_view bytes;  // the content of kBytes; the 8 or 4 bytes of kFixed64 and kFixed32
};

// Bytes that are no message. It says what was seen, and whoever knows where adds that.
class WireError : public Error {
 public:
  explicit WireError(const std::string& what) : Error(ErrorKind::kInvalidArgument, what) {}
};

// TakeVarint for those of more than a byte.
uint64_t TakeLongVarint(std::string_view* bytes);

// Takes a varint off the front of `bytes`. Throws a WireError where it is cut or longer than 64
// bits.
inline uint64_t TakeVarint(std::string_view* bytes) {
  if (bytes->empty() || static_cast<unsigned char>(bytes->front()) >= 0x80) {
    return TakeLongVarint(bytes);
  }
  const uint64_t value = static_cast<unsigned char>(bytes->front());
  bytes->remove_prefix(1);
  return value;
}

// `message` must outlive the reader and the fields, which point into it. Never reads outside of it.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : left_(message) {}

  // The next field, or false at the end. Throws a WireError where the bytes are no message. Groups,
  // which proto3 took out of the language, are refused.
  bool Next(WireField* field) {
    if (left_.empty()) return false;
    const uint64_t tag = TakeVarint(&left_);
    const uint64_t number = tag >> 3;
    if (number == 0 || number > kLargestFieldNumber) FailNumber(number);
    field->number = static_cast<uint32_t>(number);
    field->type = static_cast<WireType>(tag & 7);
    switch (field->type) {
      case WireType::kVarint:
        field->varint = TakeVarint(&left_);
        return true;
      case WireType::kFixed64:
        field->bytes = Take(8);
        return true;
      case WireType::kBytes:
        field->bytes = Take(TakeVarint(&left_));
        return true;
      case WireType::kFixed32:
        field->bytes = Take(4);
        return true;
    }
    FailType(tag);
  }

 private:
  static constexpr uint64_t kLargestFieldNumber = (uint64_t{1} << 29) - 1;

  std::string_view Take(uint64_t size) {
    if (size > left_.size()) FailSize(size);
    const std::string_view taken(left_.data(), static_cast<size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  [[noreturn]] static void FailNumber(uint64_t number);
  [[noreturn]] static void FailType(uint64_t tag);
  [[noreturn]] void FailSize(uint64_t size) const;

  std::string_view left_;
};

}  // namespace smtf

#endif  // SMTF_PROTOBUF_WIRE_READER_H_
