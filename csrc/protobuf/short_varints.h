// Varints of one or two bytes, 64 bytes of them at a time.
#ifndef SMTF_PROTOBUF_SHORT_VARINTS_H_
#define SMTF_PROTOBUF_SHORT_VARINTS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace smtf {

constexpr size_t kVarintBlock = 64;
// How many numbers there has to be room for: a vector may be written whole for its first number.
constexpr size_t kShortVarintsRoom = kVarintBlock + 8;

// One of several ways of doing the same.
//
// `block` has 64 bytes, and bit i of `ends` says whether byte i is the last of a varint. None of
// those has more than two bytes; the byte before the block is `before`, or any that is the last of
// a varint where there is none. Writes the numbers that end there to `to`, which has room for
// kShortVarintsRoom of them, and returns where they end. Thread-safe.
struct ShortVarints {
  const char* name;
  int32_t* (*to_int32)(const char* block, char before, uint64_t ends, int32_t* to);
  uint64_t* (*to_uint64)(const char* block, char before, uint64_t ends, uint64_t* to);
};

// All that this CPU can run, the fastest first.
const std::vector<ShortVarints>& ShortVarintsImplementations();

}  // namespace smtf

#endif  // SMTF_PROTOBUF_SHORT_VARINTS_H_
