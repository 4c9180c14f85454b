#include "protobuf/packed_varints.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>

#include "protobuf/messages.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

// From and into memory of just the size, so that a sanitizer sees every byte beyond it.
template <typename Number>
std::vector<Number> Decoded(const std::string& bytes) {
  const std::unique_ptr<char[]> memory(new char[bytes.size()]);
  if (!bytes.empty()) std::memcpy(memory.get(), bytes.data(), bytes.size());
  const std::string_view exact(memory.get(), bytes.size());
  std::vector<Number> numbers(CountPackedVarints(exact));
  Number* const end = numbers.data() + numbers.size();
  EXPECT_EQ(DecodePackedVarints(exact, numbers.data(), end), end);
  return numbers;
}

// Numbers of up to `bits` bits, of all lengths alike.
std::vector<uint64_t> Numbers(size_t count, int bits, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<uint64_t> numbers(count);
  for (uint64_t& number : numbers) {
    number = bits == 0 ? 0 : random() >> (64 - 1 - static_cast<int>(random() % bits));
  }
  return numbers;
}

TEST(PackedVarints, EveryLengthAtEveryPlace) {
  for (const int bits : {1, 7, 8, 14, 21, 35, 49, 56, 57, 63, 64}) {
    for (const size_t count : {0, 1, 7, 8, 30, 64, 65, 73, 200, 1000}) {
      const auto numbers = Numbers(count, bits, static_cast<unsigned>(bits));
      const std::string bytes = Varints(numbers);
      EXPECT_EQ(Decoded<uint64_t>(bytes), numbers) << bits << " bits, " << count;
      const std::vector<int32_t> cut(numbers.begin(), numbers.end());
      EXPECT_EQ(Decoded<int32_t>(bytes), cut) << bits << " bits, " << count;
    }
  }
}

// Among numbers of a byte, where blocks have a way of their own.
TEST(PackedVarints, ALongNumberAcrossTheEndOfABlock) {
  for (size_t place = 50; place < 70; ++place) {
    for (int bits = 7; bits <= 64; bits += 3) {
      std::vector<uint64_t> numbers(200, 5);
      numbers[place] = ~uint64_t{0} >> (64 - bits);
      EXPECT_EQ(Decoded<uint64_t>(Varints(numbers)), numbers) << place << ", " << bits << " bits";
    }
  }
}

// What one varint after the other gives is the truth, also for those that are longer than need be.
TEST(PackedVarints, AnyBytesAreWhatTakeVarintReads) {
  std::mt19937 random(7);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const unsigned ending = 1 + random() % 8;  // one byte in so many
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 128 | (random() % ending ? 128 : 0));
    bytes += '\x01';
    std::vector<uint64_t> expected;
    bool good = true;
    try {
      for (std::string_view left = bytes; !left.empty();) expected.push_back(TakeVarint(&left));
    } catch (const WireError&) {
      good = false;
      ++refused;
    }
    if (good) {
      EXPECT_EQ(Decoded<uint64_t>(bytes), expected);
    } else {
      EXPECT_THROW(Decoded<uint64_t>(bytes), WireError);
      EXPECT_THROW(Decoded<int32_t>(bytes), WireError);
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 2900);
}

TEST(PackedVarints, CountsInRunsOfAnyLength) {
  for (const size_t size : {1, 7, 8, 2039, 2040, 2041, 2048, 5000, 100'000}) {
    const std::string bytes(size - 1, '\x05');
    EXPECT_EQ(CountPackedVarints(bytes + '\x7f'), size);
    EXPECT_EQ(CountPackedVarints(std::string(size - 1, '\xff') + '\0'), 1u);
  }
}

TEST(PackedVarints, ACutIsAnError) {
  EXPECT_THROW(CountPackedVarints("\x80"), WireError);
  EXPECT_THROW(CountPackedVarints(std::string(100, 'x') + "\xff"), WireError);
  for (size_t size = 0; size < 200; ++size) {
    std::vector<int32_t> numbers(size + 1);
    const std::string cut = std::string(size, 'x') + "\xff";
    EXPECT_THROW(DecodePackedVarints(cut, numbers.data(), numbers.data() + size), WireError);
  }
}

}  // namespace
}  // namespace smtf
