#include "protobuf/short_varints.h"

#include <algorithm>

#include "protobuf/short_varints_x86.h"

namespace smtf {
namespace {

uint16_t Pair(char first, char second) {
  const unsigned low = static_cast<unsigned char>(first);
  const unsigned high = static_cast<unsigned char>(second);
  return static_cast<uint16_t>(low < 128 ? high : (low - 128) | high << 7);
}

template <typename Number>
Number* TakePortably(const char* block, char before, uint64_t ends, Number* to) {
  // For each byte, the number that it would end.
  uint16_t numbers[kVarintBlock];
  numbers[0] = Pair(before, block[0]);
  for (size_t i = 1; i < kVarintBlock; ++i) numbers[i] = Pair(block[i - 1], block[i]);
  if (~ends == 0) return std::copy(numbers, numbers + kVarintBlock, to);
  for (; ends != 0; ends &= ends - 1) {
    *to++ = static_cast<Number>(numbers[__builtin_ctzll(ends)]);
  }
  return to;
}

}  // namespace

const std::vector<ShortVarints>& ShortVarintsImplementations() {
  static const std::vector<ShortVarints> implementations = [] {
    std::vector<ShortVarints> usable;
#if defined(__x86_64__)
    if (HasAvx2()) usable.push_back({"avx2", &TakeShortVarintsAvx2, &TakeShortVarintsAvx2});
#endif
    usable.push_back({"portable", &TakePortably<int32_t>, &TakePortably<uint64_t>});
    return usable;
  }();
  return implementations;
}

}  // namespace smtf
