#include "protobuf/wire_reader.h"

namespace smtf {
uint64_t TakeLongVarint(std::string_view* bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes->size(); ++i) {
    const uint64_t byte = static_cast<unsigned char>((*bytes)[i]);
    // The tenth byte has room for the 64th bit and nothing else.
    if (i == 9 && byte > 1) throw WireError("a varint is longer than 64 bits");
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes->remove_prefix(i + 1);
      return value;
    }
  }
  throw WireError("the bytes end inside a varint");
}

void WireReader::FailNumber(uint64_t number) {
  throw WireError("there is no field of number " + std::to_string(number));
}

void WireReader::FailType(uint64_t tag) {
  throw WireError("field " + std::to_string(tag >> 3) + " has wire type " +
                  std::to_string(tag & 7) + ", which is none of 0, 1, 2 and 5");
}

void WireReader::FailSize(uint64_t size) const {
  throw WireError("a field takes " + std::to_string(size) + " bytes and " +
                  std::to_string(left_.size()) + " are left");
}

}  // namespace smtf
