#include "checksum/crc32.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "checksum/crc_implementations.h"

namespace smtf {
namespace {

class Crc32Test : public testing::TestWithParam<CrcImplementation<uint32_t>> {
 protected:
  static uint32_t Of(std::string_view data) {
    return GetParam().extend(0, data.data(), data.size());
  }
};

TEST_P(Crc32Test, KnownVectors) {
  EXPECT_EQ(Of(""), 0u);
  EXPECT_EQ(Of("123456789"), 0xcbf43926u);
  EXPECT_EQ(Of("The quick brown fox jumps over the lazy dog"), 0x414fa339u);
  EXPECT_EQ(Of(std::string(32, '\0')), 0x190a55adu);
}

TEST_P(Crc32Test, AgreesWithTheDefinition) {
  const std::string data = RandomBytes(1000, 2);
  for (size_t size = 0; size <= data.size(); size += 7) {
    const std::string_view front = std::string_view(data).substr(0, size);
    ASSERT_EQ(Of(front), CrcByBits<uint32_t>(0xedb88320u, 0, front)) << size;
  }
}

TEST_P(Crc32Test, AgreesWithPortable) { ExpectSame(GetParam(), Crc32Implementations().back()); }

INSTANTIATE_TEST_SUITE_P(Implementations, Crc32Test, testing::ValuesIn(Crc32Implementations()),
                         [](const auto& info) { return ImplementationName(info); });

TEST(Crc32, UsesTheFirstImplementation) {
  const std::string data = RandomBytes(5000, 5);
  const auto& best = Crc32Implementations().front();
  EXPECT_EQ(ExtendCrc32(0, data.data(), data.size()), best.extend(0, data.data(), data.size()));
  EXPECT_EQ(ExtendCrc32(ExtendCrc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
}

}  // namespace
}  // namespace smtf
