#include "checksum/crc32c.h"

#include <gtest/gtest.h>

#include <string>

#include "framing/test_sources.h"

namespace smtf {
namespace {

class Crc32cTest : public testing::TestWithParam<Crc32cImplementation> {};

// RFC 3720 appendix B.4.
TEST_P(Crc32cTest, KnownVectors) {
  const auto crc = [](std::string_view data) {
    return GetParam().extend(0, data.data(), data.size());
  };
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(crc(""), 0u);
  EXPECT_EQ(crc("123456789"), 0xe3069283u);
  EXPECT_EQ(crc(std::string(32, '\x00')), 0x8a9136aau);
  EXPECT_EQ(crc(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc(rising), 0x46dd794eu);
  EXPECT_EQ(crc(falling), 0x113fdb5cu);
}

// Every length through each of the block sizes, at every alignment and from any state.
TEST_P(Crc32cTest, AgreesWithPortable) {
  const Crc32cImplementation& portable = Crc32cImplementations().back();
  const std::string data = RandomBytes(20000, 7);
  const auto same = [&](size_t offset, size_t size) {
    const uint32_t state = static_cast<uint32_t>(size) * 2654435761u;
    return GetParam().extend(state, data.data() + offset, size) ==
           portable.extend(state, data.data() + offset, size);
  };
  for (size_t size = 0; size < 1600; ++size) ASSERT_TRUE(same(size % 67, size)) << size;
  for (size_t size = 1600; size < 16000; size += 61) ASSERT_TRUE(same(size % 67, size)) << size;
}

TEST_P(Crc32cTest, ExtendsInPieces) {
  const std::string data = RandomBytes(3000, 3);
  const auto& extend = GetParam().extend;
  const uint32_t whole = extend(0, data.data(), data.size());
  for (size_t cut = 0; cut <= data.size(); cut += 37) {
    const uint32_t first = extend(0, data.data(), cut);
    ASSERT_EQ(extend(first, data.data() + cut, data.size() - cut), whole) << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(Implementations, Crc32cTest, testing::ValuesIn(Crc32cImplementations()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           for (char& c : name) c = std::isalnum(c) ? c : '_';
                           return name;
                         });

TEST(Crc32c, UsesTheFirstImplementation) {
  const std::string data = RandomBytes(5000, 5);
  const auto& best = Crc32cImplementations().front();
  EXPECT_EQ(Crc32c(data), best.extend(0, data.data(), data.size()));
  EXPECT_EQ(ExtendCrc32c(Crc32c("1234"), "56789", 5), 0xe3069283u);
}

// The header of an empty TFRecord, as TensorFlow writes it, holds the masked CRC of eight zeros.
TEST(Crc32c, Mask) {
  EXPECT_EQ(MaskCrc32c(Crc32c(std::string_view("\0\0\0\0\0\0\0\0", 8))), 0x07980329u);
  EXPECT_EQ(MaskCrc32c(0), 0xa282ead8u);
}

}  // namespace
}  // namespace smtf
