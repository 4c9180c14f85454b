#include "protobuf/short_varints.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>

#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

struct Block {
  std::string bytes;
  uint64_t ends = 0;
};

// Of one and two bytes; with `begun`, the first is the second half of a number. One in `shorts` is
// of one byte.
Block RandomBlock(std::mt19937* random, unsigned shorts, bool begun) {
  Block block;
  bool second = begun;
  for (size_t i = 0; i < kVarintBlock; ++i) {
    const bool last = second || (*random)() % shorts == 0;
    block.bytes += static_cast<char>((*random)() % 128 | (last ? 0 : 128));
    block.ends |= uint64_t{last} << i;
    second = !last;
  }
  return block;
}

// One after the other, as TakeVarint reads them.
std::vector<uint64_t> OneByOne(const Block& block, char before, bool begun) {
  std::string bytes = (begun ? std::string(1, before) : "") + block.bytes;
  if ((block.ends >> 63) == 0) bytes.pop_back();
  std::vector<uint64_t> numbers;
  for (std::string_view left = bytes; !left.empty();) numbers.push_back(TakeVarint(&left));
  return numbers;
}

// Into memory of just the size that is promised, so that a sanitizer sees every byte beyond it.
template <typename Number, typename Take>
std::vector<Number> Taken(Take take, const Block& block, char before) {
  const std::unique_ptr<char[]> exact(new char[kVarintBlock]);
  std::memcpy(exact.get(), block.bytes.data(), kVarintBlock);
  const std::unique_ptr<Number[]> numbers(new Number[kShortVarintsRoom]);
  Number* const end = take(exact.get(), before, block.ends, numbers.get());
  return std::vector<Number>(numbers.get(), end);
}

TEST(ShortVarints, EveryImplementationIsWhatTakeVarintReads) {
  for (const ShortVarints& implementation : ShortVarintsImplementations()) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
      const bool begun = round % 2 == 1;
      const char before = static_cast<char>(random() % 128 | (begun ? 128 : 0));
      const Block block = RandomBlock(&random, 1 + random() % 5, begun);
      const std::vector<uint64_t> expected = OneByOne(block, before, begun);
      ASSERT_EQ(Taken<uint64_t>(implementation.to_uint64, block, before), expected)
          << implementation.name << ", round " << round;
      const std::vector<int32_t> narrow(expected.begin(), expected.end());
      ASSERT_EQ(Taken<int32_t>(implementation.to_int32, block, before), narrow)
          << implementation.name << ", round " << round;
    }
  }
}

TEST(ShortVarints, OnlyWhatEndsIsTaken) {
  for (const ShortVarints& implementation : ShortVarintsImplementations()) {
    for (size_t size = 1; size <= kVarintBlock; ++size) {
      Block block{std::string(kVarintBlock, '\x05'), ~uint64_t{0} >> (kVarintBlock - size)};
      EXPECT_EQ(Taken<int32_t>(implementation.to_int32, block, '\0'), std::vector<int32_t>(size, 5))
          << implementation.name;
    }
  }
}

TEST(ShortVarints, ThePortableOneIsAlwaysThere) {
  EXPECT_STREQ(ShortVarintsImplementations().back().name, "portable");
}

}  // namespace
}  // namespace smtf
