#include "protobuf/packed_varints.h"

#include <algorithm>

#include "framing/little_endian.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

constexpr size_t kBlock = 64;
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
  for (size_t i = 0; i < kBlock / kWord; ++i) {
    // Moves bit 8k to bit 56 + k; no two of the products meet in one bit.
    const uint64_t of_word = EndsInWord(LoadLE64(block + kWord * i)) * 0x0102040810204080 >> 56;
    ends |= of_word << (kWord * i);
  }
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

// Puts varints together, block by block.
template <typename Number>
class Decoder {
 public:
  Decoder(std::string_view bytes, Number* to)
      : begin_(bytes.data()), end_(bytes.data() + bytes.size()), to_(to) {}

  Number* Decode() {
    // A word is read from where a varint begins, and may reach beyond the block.
    for (const char* block = begin_; static_cast<size_t>(end_ - block) >= kBlock + kWord;
         block += kBlock) {
      const uint64_t ends = EndsInBlock(block);
      if (AreShort(block, ends)) {
        TakeShort(block, ends);
      } else {
        TakeAny(block, ends);
      }
    }
    for (std::string_view left(begin_, static_cast<size_t>(end_ - begin_)); !left.empty();) {
      *to_++ = static_cast<Number>(TakeVarint(&left));
    }
    return to_;
  }

 private:
  // Whether no varint that ends in the block, or reaches out of it, has more than two bytes so far.
  // Then some end in it.
  bool AreShort(const char* block, uint64_t ends) const {
    const bool carried = begin_ < block;
    return (~ends & (~ends << 1 | (carried ? 1 : 0))) == 0 && block - begin_ <= 1;
  }

  void TakeShort(const char* block, uint64_t ends) {
    // For each byte, the number that it would end.
    uint16_t numbers[kBlock];
    numbers[0] = Pair(begin_ < block ? *begin_ : '\0', block[0]);
    for (size_t i = 1; i < kBlock; ++i) numbers[i] = Pair(block[i - 1], block[i]);
    begin_ = block + kBlock - __builtin_clzll(ends);
    if (~ends == 0) {
      to_ = std::copy(numbers, numbers + kBlock, to_);
      return;
    }
    for (; ends != 0; ends &= ends - 1) {
      *to_++ = static_cast<Number>(numbers[__builtin_ctzll(ends)]);
    }
  }

  static uint16_t Pair(char first, char second) {
    const unsigned low = static_cast<unsigned char>(first);
    const unsigned high = static_cast<unsigned char>(second);
    return static_cast<uint16_t>(low < 128 ? high : (low - 128) | high << 7);
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

uint64_t* DecodePackedVarints(std::string_view bytes, uint64_t* to) {
  return Decoder<uint64_t>(bytes, to).Decode();
}
int32_t* DecodePackedVarints(std::string_view bytes, int32_t* to) {
  return Decoder<int32_t>(bytes, to).Decode();
}

}  // namespace smtf
