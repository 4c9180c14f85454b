#include "protobuf/packed_varints.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "framing/little_endian.h"
#include "protobuf/short_varints.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

constexpr size_t kWord = 8;

// The lowest n bytes of a word.
constexpr uint64_t kLowBytes[kWord + 1] = {0,
                                           0xff,
                                           0xffff,
                                           0xffffff,
                                           0xffffffff,
                                           0xffffffffff,
                                           0xffffffffffff,
                                           0xffffffffffffff,
                                           0xffffffffffffffff};

constexpr uint64_t kOneEach = 0x0101010101010101;

// In each byte of the result 1, where that byte of the word is the last of a varint: it has its
// highest bit clear.
uint64_t EndsInWord(uint64_t word) { return ~word >> 7 & kOneEach; }

// The sum of the bytes of a word.
size_t SumOfBytes(uint64_t word) {
  const uint64_t pairs = (word & 0x00ff00ff00ff00ff) + (word >> 8 & 0x00ff00ff00ff00ff);
  return static_cast<size_t>(pairs * 0x0001000100010001 >> 48);
}

// Bit i says whether byte i of the block is the last of a varint.
uint64_t EndsInBlock(const char* block) {
  uint64_t ends = 0;
#if defined(__SSE2__)
  for (size_t at = 0; at < kVarintBlock; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + at));
    ends |= uint64_t{static_cast<uint16_t>(~_mm_movemask_epi8(bytes))} << at;
  }
#else
  for (size_t at = 0; at < kVarintBlock; at += kWord) {
    // Moves bit 8k to bit 56 + k; no two of the products meet in one bit.
    ends |= (EndsInWord(LoadLE64(block + at)) * 0x0102040810204080 >> 56) << at;
  }
#endif
  return ends;
}

// The 7 low bits of each byte, without the gaps between them: pairs, then pairs of pairs.
uint64_t WithoutGaps(uint64_t word) {
  word &= 0x7f7f7f7f7f7f7f7f;
  word = (word & 0x007f007f007f007f) | (word & 0x7f007f007f007f00) >> 1;
  word = (word & 0x00003fff00003fff) | (word & 0x3fff00003fff0000) >> 2;
  return (word & 0x000000000fffffff) | (word & 0x0fffffff00000000) >> 4;
}

// The varint of `size` bytes at `at`, from where a word can be read.
uint64_t VarintAt(const char* at, size_t size) {
  if (size <= kWord) return WithoutGaps(LoadLE64(at) & kLowBytes[size]);
  std::string_view bytes(at, size);
  return TakeVarint(&bytes);
}

const ShortVarints& FastestShortVarints() {
  static const ShortVarints& fastest = ShortVarintsImplementations().front();
  return fastest;
}

auto TakeShortInto(const int32_t*) { return FastestShortVarints().to_int32; }
auto TakeShortInto(const uint64_t*) { return FastestShortVarints().to_uint64; }

// Puts varints together, block by block.
template <typename Number>
class Decoder {
 public:
  Decoder(std::string_view bytes, Number* to, Number* to_end)
      : begin_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        to_(to),
        to_end_(to_end),
        take_short_(TakeShortInto(to)) {}

  Number* Decode() {
    // A word is read from where a varint begins, and may reach beyond the block.
    for (const char* block = begin_; Left(block) >= kVarintBlock + kWord; block += kVarintBlock) {
      TakeBlock(block, kVarintBlock);
    }
    if (Left(begin_) >= kWord) TakeTail();
    for (std::string_view left(begin_, Left(begin_)); !left.empty();) {
      *to_++ = static_cast<Number>(TakeVarint(&left));
    }
    return to_;
  }

 private:
  size_t Left(const char* at) const { return static_cast<size_t>(end_ - at); }

  // The last bytes, from where whole blocks and words can be read.
  void TakeTail() {
    char tail[2 * kVarintBlock + kWord] = {};
    const size_t left = Left(begin_);
    if (left > 2 * kVarintBlock) return;  // a varint that is far too long
    std::memcpy(tail, begin_, left);
    begin_ = tail;
    for (size_t at = 0; at < left; at += kVarintBlock) {
      TakeBlock(tail + at, std::min(left - at, kVarintBlock));
    }
    begin_ = end_ - (tail + left - begin_);  // what is left is cut
  }

  // Those that end in the first `size` bytes of the block. Zeros follow them.
  void TakeBlock(const char* block, size_t size) {
    const uint64_t all_ends = EndsInBlock(block);
    const uint64_t ends = all_ends & ~uint64_t{0} >> (kVarintBlock - size);
    if (ends != 0 && AreShort(block, all_ends)) {
      TakeShort(block, ends);
    } else {
      TakeAny(block, ends);
    }
  }

  // Whether no varint that ends in the block, or reaches out of it, has more than two bytes so far.
  bool AreShort(const char* block, uint64_t ends) const {
    const bool carried = begin_ < block;
    return (~ends & (~ends << 1 | (carried ? 1 : 0))) == 0 && block - begin_ <= 1;
  }

  void TakeShort(const char* block, uint64_t ends) {
    const char before = begin_ < block ? *begin_ : '\0';
    if (static_cast<size_t>(to_end_ - to_) >= kShortVarintsRoom) {
      to_ = take_short_(block, before, ends, to_);
    } else {
      Number numbers[kShortVarintsRoom];
      to_ = std::copy(numbers, take_short_(block, before, ends, numbers), to_);
    }
    begin_ = block + kVarintBlock - __builtin_clzll(ends);
  }

  void TakeAny(const char* block, uint64_t ends) {
    for (; ends != 0; ends &= ends - 1) {
      const char* const next = block + __builtin_ctzll(ends) + 1;
      *to_++ = static_cast<Number>(VarintAt(begin_, static_cast<size_t>(next - begin_)));
      begin_ = next;
    }
  }

  const char* begin_;  // of the next varint: in the block, or not far before it
  const char* const end_;
  Number* to_;
  Number* const to_end_;
  Number* (*const take_short_)(const char* block, char before, uint64_t ends, Number* to);
};

}  // namespace

size_t CountPackedVarints(std::string_view bytes) {
  const auto ends = [](char byte) { return static_cast<signed char>(byte) >= 0; };
  if (!bytes.empty() && !ends(bytes.back())) throw WireError("the bytes end inside a varint");
  size_t count = 0;
  while (bytes.size() >= kWord) {
    // A byte of the sum has room for 255 words.
    const size_t words = std::min(bytes.size() / kWord, size_t{255});
    uint64_t sums = 0;
    for (size_t i = 0; i < words; ++i) sums += EndsInWord(LoadLE64(bytes.data() + i * kWord));
    count += SumOfBytes(sums);
    bytes.remove_prefix(words * kWord);
  }
  return count + static_cast<size_t>(std::count_if(bytes.begin(), bytes.end(), ends));
}

uint64_t* DecodePackedVarints(std::string_view bytes, uint64_t* to, uint64_t* to_end) {
  return Decoder<uint64_t>(bytes, to, to_end).Decode();
}
int32_t* DecodePackedVarints(std::string_view bytes, int32_t* to, int32_t* to_end) {
  return Decoder<int32_t>(bytes, to, to_end).Decode();
}

}  // namespace smtf
