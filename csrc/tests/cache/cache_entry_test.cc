#include "cache/cache_entry.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "cache/cache_key.h"
#include "cache/cache_testing.h"
#include "file_descriptor.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

class CacheEntryTest : public testing::Test {
 protected:
  void Write(const std::string& payload,
             const std::optional<AnnouncedChecksum>& checksum = std::nullopt) {
    const FileDescriptor file(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE(WriteCacheEntry(file.get(), key_, payload, checksum, go_));
  }
  EntryState Read(size_t size) { return Read(size, key_, go_); }
  EntryState Read(size_t size, const std::string& key, const std::atomic<bool>& stop) {
    got_.assign(size, '?');
    const FileDescriptor file(open(path_.c_str(), O_RDONLY));
    return ReadCacheEntry(file.get(), key, got_.data(), size, &checksum_, stop);
  }

  TemporaryDirectory dir_;
  const std::string path_ = dir_ / "entry";
  const std::string key_ = EncodeCacheKey({"bucket", 3, "key", "\"etag\"", 100, 10, 20});
  const std::atomic<bool> go_{false};
  const std::atomic<bool> stopped_{true};
  std::string got_;
  std::optional<AnnouncedChecksum> checksum_;
};

TEST_F(CacheEntryTest, RoundTrip) {
  for (const size_t size : {size_t{1}, size_t{1000}, size_t{1} << 20, (size_t{3} << 20) + 1}) {
    const std::string payload(size, 'x');
    Write(payload);
    EXPECT_EQ(std::filesystem::file_size(path_), CacheEntryBytes(key_, size));
    EXPECT_EQ(Read(size), EntryState::kGood);
    EXPECT_EQ(got_, payload);
    EXPECT_FALSE(checksum_.has_value());
  }
}

TEST_F(CacheEntryTest, KeepsTheAnnouncedChecksum) {
  for (const auto kind : {ChecksumKind::kCrc32c, ChecksumKind::kCrc32, ChecksumKind::kCrc64Nvme}) {
    Write("payload", AnnouncedChecksum{kind, 0xfedcba9876543210});
    ASSERT_EQ(Read(7), EntryState::kGood);
    ASSERT_TRUE(checksum_.has_value());
    EXPECT_EQ(checksum_->kind, kind);
    EXPECT_EQ(checksum_->value, 0xfedcba9876543210u);
  }
}

TEST_F(CacheEntryTest, EveryDamagedByteIsSeen) {
  const uint64_t size = CacheEntryBytes(key_, 50);
  for (uint64_t offset = 0; offset < size; ++offset) {
    Write(std::string(50, 'x'));
    FlipByte(path_, offset);
    EXPECT_NE(Read(50), EntryState::kGood) << offset;
  }
}

TEST_F(CacheEntryTest, EveryTruncationIsSeen) {
  Write(std::string(50, 'x'));
  for (uint64_t size = CacheEntryBytes(key_, 50); size-- > 0;) {
    ASSERT_EQ(truncate(path_.c_str(), static_cast<off_t>(size)), 0);
    EXPECT_EQ(Read(50), EntryState::kDamaged) << size;
  }
}

TEST_F(CacheEntryTest, AnotherKeyIsNoDamage) {
  Write(std::string(20, 'x'));
  const CacheKey key{"bucket", 3, "key", "\"ETAG\"", 100, 10, 20};
  EXPECT_EQ(Read(20, EncodeCacheKey(key), go_), EntryState::kOther);
  EXPECT_EQ(Read(20, EncodeCacheKey({}), go_), EntryState::kOther);
}

TEST_F(CacheEntryTest, SeesTheStopFlag) {
  Write("payload");
  EXPECT_EQ(Read(7, key_, stopped_), EntryState::kStopped);
  const FileDescriptor file(open(path_.c_str(), O_RDWR | O_TRUNC));
  EXPECT_FALSE(WriteCacheEntry(file.get(), key_, "payload", std::nullopt, stopped_));
}

}  // namespace
}  // namespace smtf
