#include "checksum/crc64_nvme.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "checksum/crc_implementations.h"

namespace smtf {
namespace {

class Crc64NvmeTest : public testing::TestWithParam<CrcImplementation<uint64_t>> {
 protected:
  static uint64_t Of(std::string_view data) {
    return GetParam().extend(0, data.data(), data.size());
  }
};

// Those of 4096 bytes are in the NVM Command Set Specification 1.0d, section 5.2.1.3.5.
TEST_P(Crc64NvmeTest, KnownVectors) {
  std::string rising, falling;
  for (int i = 0; i < 4096; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(255 - i));
  }
  EXPECT_EQ(Of(""), 0u);
  EXPECT_EQ(Of("123456789"), 0xae8b14860a799888u);
  EXPECT_EQ(Of(std::string(4096, '\x00')), 0x6482d367eb22b64eu);
  EXPECT_EQ(Of(std::string(4096, '\xff')), 0xc0ddba7302eca3acu);
  EXPECT_EQ(Of(rising), 0x3e729f5f6750449cu);
  EXPECT_EQ(Of(falling), 0x9a2df64b8e9e517eu);
}

TEST_P(Crc64NvmeTest, AgreesWithTheDefinition) {
  const std::string data = RandomBytes(1000, 2);
  for (size_t size = 0; size <= data.size(); size += 7) {
    const std::string_view front = std::string_view(data).substr(0, size);
    ASSERT_EQ(Of(front), CrcByBits<uint64_t>(0x9a6c9329ac4bc9b5u, 0, front)) << size;
  }
}

TEST_P(Crc64NvmeTest, AgreesWithPortable) {
  ExpectSame(GetParam(), Crc64NvmeImplementations().back());
}

INSTANTIATE_TEST_SUITE_P(Implementations, Crc64NvmeTest,
                         testing::ValuesIn(Crc64NvmeImplementations()),
                         [](const auto& info) { return ImplementationName(info); });

TEST(Crc64Nvme, UsesTheFirstImplementation) {
  const std::string data = RandomBytes(5000, 5);
  const auto& best = Crc64NvmeImplementations().front();
  EXPECT_EQ(ExtendCrc64Nvme(0, data.data(), data.size()), best.extend(0, data.data(), data.size()));
  EXPECT_EQ(ExtendCrc64Nvme(ExtendCrc64Nvme(0, "1234", 4), "56789", 5), 0xae8b14860a799888u);
}

}  // namespace
}  // namespace smtf
