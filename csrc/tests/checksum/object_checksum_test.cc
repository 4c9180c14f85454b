#include "checksum/object_checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "framing/test_sources.h"

namespace smtf {
namespace {

constexpr ChecksumKind kKinds[] = {ChecksumKind::kCrc32c, ChecksumKind::kCrc32,
                                   ChecksumKind::kCrc64Nvme};

uint64_t Of(ChecksumKind kind, std::string_view data) { return ExtendChecksum(kind, 0, data); }

class ObjectChecksumTest : public testing::TestWithParam<ChecksumKind> {};

TEST_P(ObjectChecksumTest, ExtendsFromAnyCut) {
  const std::string data = RandomBytes(5000, 1);
  const uint64_t whole = Of(GetParam(), data);
  for (size_t cut = 0; cut <= data.size(); cut += 97) {
    const std::string_view view = data;
    const uint64_t front = Of(GetParam(), view.substr(0, cut));
    ASSERT_EQ(ExtendChecksum(GetParam(), front, view.substr(cut)), whole) << cut;
  }
}

TEST_P(ObjectChecksumTest, CombinesRandomSplits) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const std::string data = RandomBytes(random() % 4000, random());
    const size_t cut = random() % (data.size() + 1);
    const std::string_view view = data;
    const uint64_t a = Of(GetParam(), view.substr(0, cut));
    const uint64_t b = Of(GetParam(), view.substr(cut));
    ASSERT_EQ(CombineChecksums(GetParam(), a, b, data.size() - cut), Of(GetParam(), data))
        << cut << " of " << data.size();
  }
}

// As the parts of an object are combined: in order, many, of sizes that differ.
TEST_P(ObjectChecksumTest, CombinesManyPieces) {
  const std::string data = RandomBytes(300000, 9);
  std::mt19937 random(6);
  uint64_t combined = 0;
  for (size_t at = 0; at < data.size();) {
    const std::string_view piece = std::string_view(data).substr(at, random() % 9000);
    combined = CombineChecksums(GetParam(), combined, Of(GetParam(), piece), piece.size());
    at += piece.size();
  }
  EXPECT_EQ(combined, Of(GetParam(), data));
}

TEST_P(ObjectChecksumTest, CombinesWithNothing) {
  const uint64_t checksum = Of(GetParam(), "123456789");
  EXPECT_EQ(CombineChecksums(GetParam(), checksum, 0, 0), checksum);
  EXPECT_EQ(CombineChecksums(GetParam(), 0, checksum, 9), checksum);
}

// Lengths that nobody can compute directly: 2^k zeros at once are twice 2^(k-1) of them.
TEST_P(ObjectChecksumTest, CombinesAnyLength) {
  const auto combine = [](uint64_t a, uint64_t b, uint64_t b_bytes) {
    return CombineChecksums(GetParam(), a, b, b_bytes);
  };
  const uint64_t one = Of(GetParam(), "1");
  uint64_t zeros = Of(GetParam(), std::string_view("\0", 1));
  for (int k = 1; k < 64; ++k) {
    const uint64_t half = uint64_t{1} << (k - 1);
    const uint64_t in_halves = combine(combine(one, zeros, half), zeros, half);
    zeros = combine(zeros, zeros, half);
    ASSERT_EQ(combine(one, zeros, 2 * half), in_halves) << k;
    if (k <= 16) {
      ASSERT_EQ(zeros, Of(GetParam(), std::string(2 * half, '\0'))) << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ObjectChecksumTest, testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(ChecksumName(info.param)); });

// Of the nine digits, as the catalogue of CRCs has them:
// https://reveng.sourceforge.io/crc-catalogue/all.htm
TEST(ObjectChecksum, CheckValues) {
  EXPECT_EQ(Of(ChecksumKind::kCrc32c, "123456789"), 0xe3069283u);
  EXPECT_EQ(Of(ChecksumKind::kCrc32, "123456789"), 0xcbf43926u);
  EXPECT_EQ(Of(ChecksumKind::kCrc64Nvme, "123456789"), 0xae8b14860a799888u);
  for (const ChecksumKind kind : kKinds) EXPECT_EQ(Of(kind, ""), 0u);
}

TEST(ObjectChecksum, Names) {
  EXPECT_STREQ(ChecksumName(ChecksumKind::kCrc32c), "CRC32C");
  EXPECT_STREQ(ChecksumName(ChecksumKind::kCrc32), "CRC32");
  EXPECT_STREQ(ChecksumName(ChecksumKind::kCrc64Nvme), "CRC64NVME");
}

void ExpectAnnounced(std::string_view name, std::string_view value, ChecksumKind kind,
                     uint64_t checksum) {
  const auto announced = ParseChecksumHeader(name, value);
  ASSERT_TRUE(announced) << name << ": " << value;
  EXPECT_EQ(announced->kind, kind);
  EXPECT_EQ(announced->value, checksum);
}

TEST(ParseChecksumHeader, EachKind) {
  ExpectAnnounced("x-amz-checksum-crc32c", "4waSgw==", ChecksumKind::kCrc32c, 0xe3069283u);
  ExpectAnnounced("x-amz-checksum-crc32", "y/Q5Jg==", ChecksumKind::kCrc32, 0xcbf43926u);
  ExpectAnnounced("x-amz-checksum-crc64nvme", "rosUhgp5mIg=", ChecksumKind::kCrc64Nvme,
                  0xae8b14860a799888u);
  ExpectAnnounced("x-amz-checksum-crc32", "AAAAAA==", ChecksumKind::kCrc32, 0);
  ExpectAnnounced("x-amz-checksum-crc32", "/////w==", ChecksumKind::kCrc32, 0xffffffffu);
  ExpectAnnounced("x-amz-checksum-crc64nvme", "//////////8=", ChecksumKind::kCrc64Nvme,
                  0xffffffffffffffffu);
  ExpectAnnounced("x-amz-checksum-crc64nvme", "++++++++++8=", ChecksumKind::kCrc64Nvme,
                  0xfbefbefbefbefbefu);
}

TEST(ParseChecksumHeader, NothingForOtherHeaders) {
  EXPECT_FALSE(ParseChecksumHeader("etag", "4waSgw=="));
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-type", "FULL_OBJECT"));
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc3", "y/Q5Jg=="));
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-sha1", "98O8HYCOBHMq32eZZczDTKfLzOE="));
  EXPECT_FALSE(
      ParseChecksumHeader("x-amz-checksum-sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="));
}

TEST(ParseChecksumHeader, NothingForChecksumsOfChecksums) {
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc32c", "4waSgw==-3"));
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc32", "y/Q5Jg==-10000"));
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc64nvme", "rosUhgp5mIg=-1"));
}

TEST(ParseChecksumHeader, NothingForGarbage) {
  for (const std::string_view value :
       {"", "=", "==", "========", "4waSgw=", "4waSgw",
        "4waSgw===", "4waSg===", "4waS-w==", "4wa Sw==", " 4waSgw==", "4waSgw==\r",
        "4waSgx==", "4waSgwA=", "4waSgwAA", "rosUhgp5mIg=", "e3069283"}) {
    EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc32c", value)) << value;
  }
  for (const std::string_view value :
       {"", "4waSgw==", "rosUhgp5mIg", "rosUhgp5mIh=", "rosUhgp5mI==", "rosUhgp5mIgA",
        "rosUhgp5mIgA====", "============", "rosUhgp5m_g="}) {
    EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc64nvme", value)) << value;
  }
  EXPECT_FALSE(ParseChecksumHeader("x-amz-checksum-crc32c", std::string_view("4wa\0gw==", 8)));
}

}  // namespace
}  // namespace smtf
