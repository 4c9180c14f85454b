#include "cache/disk_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cache/cache_testing.h"
#include "errors.h"

namespace smtf {
namespace {

using Found = DiskCache::Found;
using Kept = DiskCache::Kept;
using DiskCacheTest = CacheDirectoryTest;

constexpr uint64_t kPlenty = 64 * 1024 * 1024;

unsigned ModeOf(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST_F(DiskCacheTest, RoundTrip) {
  DiskCache cache(path_, kPlenty);
  cache.Open();
  for (const size_t size : {size_t{1}, size_t{4096}, size_t{100'000}, size_t{5'000'000}}) {
    const std::string name = std::to_string(size);
    EXPECT_EQ(ReadFake(&cache, name, size), Found::kMiss);
    EXPECT_EQ(InsertFake(&cache, name, size), Kept::kInserted);
    EXPECT_EQ(ReadFake(&cache, name, size), Found::kHit);
    EXPECT_EQ(InsertFake(&cache, name, size), Kept::kPresent);
  }
  EXPECT_EQ(Entries().size(), 4u);
  EXPECT_TRUE(Parts().empty());
}

TEST_F(DiskCacheTest, OutlivesTheProcess) {
  {
    DiskCache cache(path_, kPlenty);
    EXPECT_EQ(InsertFake(&cache, "a", 1000), Kept::kInserted) << "opens by itself";
  }
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(ReadFake(&cache, "a", 1000), Found::kMiss) << "it is not open";
  cache.Open();
  EXPECT_EQ(ReadFake(&cache, "a", 1000), Found::kHit);
}

TEST_F(DiskCacheTest, IsItsOwnersOnly) {
  const mode_t before = umask(0);
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 1000), Kept::kInserted);
  umask(before);
  EXPECT_EQ(ModeOf(path_), 0700u);
  ASSERT_EQ(Entries().size(), 1u);
  EXPECT_EQ(ModeOf(Entries()[0]), 0600u);
  EXPECT_EQ(ModeOf(path_ + "/ledger"), 0600u);
}

TEST_F(DiskCacheTest, RefusesADirectoryThatOthersMayWriteTo) {
  std::filesystem::create_directories(path_);
  ASSERT_EQ(chmod(path_.c_str(), 0777), 0);
  DiskCache cache(path_, kPlenty);
  try {
    cache.Open();
    ADD_FAILURE() << "was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailedPrecondition);
  }
}

TEST_F(DiskCacheTest, ADamagedEntryIsRemoved) {
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 100'000), Kept::kInserted);
  FlipByte(Entries().at(0), 50'000);
  EXPECT_EQ(ReadFake(&cache, "a", 100'000), Found::kDamaged);
  EXPECT_TRUE(Entries().empty());
  EXPECT_EQ(Ledger(), CacheLedger::kBytes);
  EXPECT_EQ(InsertFake(&cache, "a", 100'000), Kept::kInserted);
  EXPECT_EQ(ReadFake(&cache, "a", 100'000), Found::kHit);
}

TEST_F(DiskCacheTest, ATruncatedEntryIsRemoved) {
  DiskCache cache(path_, kPlenty);
  for (const off_t size : {0, 20, 60, 50'000}) {
    EXPECT_EQ(InsertFake(&cache, "a", 100'000), Kept::kInserted);
    ASSERT_EQ(truncate(Entries().at(0).c_str(), size), 0);
    EXPECT_EQ(ReadFake(&cache, "a", 100'000), Found::kDamaged);
    EXPECT_TRUE(Entries().empty());
  }
}

TEST_F(DiskCacheTest, AnotherETagTakesThePlace) {
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 1000), Kept::kInserted);
  const std::atomic<bool> stop{false};
  std::string got(1000, '?');
  std::optional<AnnouncedChecksum> checksum;
  const CacheKey changed = FakeKey("a", 1000, "\"2\"");
  EXPECT_EQ(cache.Read(changed, got.data(), &checksum, stop), Found::kMiss);
  EXPECT_TRUE(Entries().empty()) << "nobody will ask for the old version";
  EXPECT_EQ(cache.Insert(changed, std::string(1000, 'n'), checksum, stop), Kept::kInserted);
  EXPECT_EQ(cache.Read(changed, got.data(), &checksum, stop), Found::kHit);
  EXPECT_EQ(got, std::string(1000, 'n'));
  EXPECT_EQ(ReadFake(&cache, "a", 1000), Found::kMiss);
}

TEST_F(DiskCacheTest, DistrustForgets) {
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 1000), Kept::kInserted);
  cache.Distrust(FakeKey("a", 1000));
  cache.Distrust(FakeKey("never there", 1000));
  EXPECT_EQ(ReadFake(&cache, "a", 1000), Found::kMiss);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes);
}

TEST_F(DiskCacheTest, DistrustOfARangeIsOfItsObject) {
  DiskCache cache(path_, kPlenty);
  const std::atomic<bool> stop{false};
  const auto range = [](const char* name, uint64_t offset) {
    return CacheKey{"test", 0, name, "\"1\"", 3000, offset, 1000};
  };
  for (const char* name : {"a", "b"}) {
    for (const uint64_t offset : {0, 1000, 2000}) {
      cache.Insert(range(name, offset), std::string(1000, 'x'), std::nullopt, stop);
    }
  }
  cache.Distrust(range("a", 500));
  EXPECT_EQ(Entries().size(), 6u) << "it is not kept, so nobody got it from here";
  cache.Distrust(range("a", 1000));
  EXPECT_EQ(Entries().size(), 3u);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes + 3 * 4096);
  std::string got(1000, '?');
  std::optional<AnnouncedChecksum> checksum;
  EXPECT_EQ(cache.Read(range("b", 0), got.data(), &checksum, stop), Found::kHit);
}

TEST_F(DiskCacheTest, AFullCacheKeepsWhatItHas) {
  DiskCache cache(path_, CacheLedger::kBytes + 3 * 8192);
  for (const char* name : {"a", "b", "c"})
    EXPECT_EQ(InsertFake(&cache, name, 5000), Kept::kInserted);
  EXPECT_EQ(InsertFake(&cache, "d", 5000), Kept::kFull);
  EXPECT_EQ(InsertFake(&cache, "large", 100'000), Kept::kFull);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(ReadFake(&cache, name, 5000), Found::kHit);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes + 3 * 8192);
}

TEST_F(DiskCacheTest, SmallFilesCountAsBlocks) {
  DiskCache cache(path_, 10 * 4096);
  int inserted = 0;
  for (int i = 0; i < 20; ++i)
    inserted += InsertFake(&cache, std::to_string(i), 1) == Kept::kInserted;
  EXPECT_EQ(inserted, 9) << "and one block for the ledger";
}

// An epoch reads what it finds and inserts what it does not, and returns the number of hits.
int ScanEpoch(DiskCache* cache, const std::string& prefix, const std::vector<int>& order) {
  int hits = 0;
  for (const int i : order) {
    const std::string name = prefix + std::to_string(i);
    if (ReadFake(cache, name, 5000) == Found::kHit) {
      ++hits;
    } else {
      InsertFake(cache, name, 5000);
    }
  }
  return hits;
}

std::vector<int> Order(int count) {
  std::vector<int> order(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) order[static_cast<size_t>(i)] = i;
  return order;
}

// Twice as much data as the cache holds. LRU would not hit once.
TEST_F(DiskCacheTest, CyclicScansHitWhatFits) {
  DiskCache cache(path_, CacheLedger::kBytes + 100 * 8192);
  EXPECT_EQ(ScanEpoch(&cache, "a", Order(200)), 0);
  for (int epoch = 1; epoch < 5; ++epoch) EXPECT_EQ(ScanEpoch(&cache, "a", Order(200)), 100);
  EXPECT_EQ(cache.evicted_bytes(), 0u);
}

TEST_F(DiskCacheTest, ShuffledScansHitWhatFits) {
  DiskCache cache(path_, CacheLedger::kBytes + 100 * 8192);
  std::mt19937 random(1);
  std::vector<int> order = Order(200);
  EXPECT_EQ(ScanEpoch(&cache, "a", order), 0);
  for (int epoch = 1; epoch < 8; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    EXPECT_EQ(ScanEpoch(&cache, "a", order), 100);
  }
  EXPECT_EQ(cache.evicted_bytes(), 0u);
}

TEST_F(DiskCacheTest, TheSameDataHitsAtOnceInTheNextProcess) {
  for (int process = 0; process < 3; ++process) {
    DiskCache cache(path_, CacheLedger::kBytes + 100 * 8192);
    cache.Open();
    for (int epoch = 0; epoch < 3; ++epoch) {
      EXPECT_EQ(ScanEpoch(&cache, "a", Order(200)), process + epoch > 0 ? 100 : 0);
    }
  }
}

TEST_F(DiskCacheTest, OtherDataTakesOverAfterAnEpoch) {
  const uint64_t bound = CacheLedger::kBytes + 100 * 8192;
  {
    DiskCache cache(path_, bound);
    ScanEpoch(&cache, "old", Order(100));
  }
  DiskCache cache(path_, bound);
  EXPECT_EQ(ScanEpoch(&cache, "new", Order(60)), 0);
  EXPECT_EQ(cache.evicted_bytes(), 0u) << "they could be of use yet";
  EXPECT_EQ(ScanEpoch(&cache, "new", Order(60)), 0);
  EXPECT_EQ(cache.evicted_bytes(), 60u * 8192);
  EXPECT_EQ(ScanEpoch(&cache, "new", Order(60)), 60);
  EXPECT_EQ(cache.evicted_bytes(), 60u * 8192) << "no more than needed";
}

// The first part of an epoch is shorter than others, and another object's each time.
TEST_F(DiskCacheTest, AnEpochIsSeenWhateverItsFirstPart) {
  const uint64_t bound = CacheLedger::kBytes + 2 * 8192;
  {
    DiskCache cache(path_, bound);
    ScanEpoch(&cache, "old", Order(2));
  }
  DiskCache cache(path_, bound);
  cache.Open();
  const std::atomic<bool> stop{false};
  std::string got(5000, '?');
  std::optional<AnnouncedChecksum> checksum;
  EXPECT_EQ(cache.Read({"test", 0, "new", "\"1\"", 5000, 0, 100}, got.data(), &checksum, stop),
            Found::kMiss);
  EXPECT_EQ(InsertFake(&cache, "new", 5000), Kept::kFull);
  EXPECT_EQ(ReadFake(&cache, "new", 5000), Found::kMiss);
  EXPECT_EQ(InsertFake(&cache, "new", 5000), Kept::kInserted);
}

TEST_F(DiskCacheTest, TheLongestUnusedGoFirst) {
  const uint64_t bound = CacheLedger::kBytes + 4 * 8192;
  {
    DiskCache cache(path_, bound);
    for (const char* name : {"a", "b", "c", "d"}) InsertFake(&cache, name, 5000);
    EXPECT_EQ(ReadFake(&cache, "a", 5000), Found::kHit);
  }
  DiskCache cache(path_, bound);
  cache.Open();
  for (int epoch = 0; epoch < 2; ++epoch) {
    if (ReadFake(&cache, "new", 5000) == Found::kMiss) InsertFake(&cache, "new", 5000);
  }
  EXPECT_EQ(ReadFake(&cache, "new", 5000), Found::kHit);
  EXPECT_EQ(ReadFake(&cache, "b", 5000), Found::kMiss);
  for (const char* name : {"a", "c", "d"}) EXPECT_EQ(ReadFake(&cache, name, 5000), Found::kHit);
}

TEST_F(DiskCacheTest, ALowerBoundShrinksIt) {
  {
    DiskCache cache(path_, kPlenty);
    ScanEpoch(&cache, "a", Order(100));
  }
  DiskCache cache(path_, CacheLedger::kBytes + 10 * 8192);
  cache.Open();
  EXPECT_EQ(Entries().size(), 10u);
  EXPECT_EQ(ReadFake(&cache, "a99", 5000), Found::kHit);
  EXPECT_EQ(ReadFake(&cache, "a89", 5000), Found::kMiss);
}

TEST_F(DiskCacheTest, LeavesOtherFilesAlone) {
  std::filesystem::create_directories(path_);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  std::ofstream(path_ + "/notes.entry") << "mine";
  std::ofstream(path_ + "/notes.part") << "mine";
  DiskCache cache(path_, CacheLedger::kBytes + 8192);
  cache.Open();
  EXPECT_EQ(InsertFake(&cache, "a", 5000), Kept::kInserted);
  EXPECT_EQ(InsertFake(&cache, "b", 5000), Kept::kFull);
  EXPECT_TRUE(std::filesystem::exists(path_ + "/notes.entry"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/notes.part"));
}

TEST_F(DiskCacheTest, AStoppedInsertLeavesNothing) {
  DiskCache cache(path_, kPlenty);
  const std::atomic<bool> stop{true};
  EXPECT_EQ(cache.Insert(FakeKey("a", 1000), FakeContent("a", 1000), std::nullopt, stop),
            Kept::kStopped);
  EXPECT_TRUE(Entries().empty());
  EXPECT_TRUE(Parts().empty());
  EXPECT_EQ(Ledger(), CacheLedger::kBytes);
}

TEST_F(DiskCacheTest, ALedgerThatIsGoneOrDamagedIsCountedAnew) {
  DiskCache cache(path_, CacheLedger::kBytes + 3 * 8192);
  EXPECT_EQ(InsertFake(&cache, "a", 5000), Kept::kInserted);
  ASSERT_TRUE(std::filesystem::remove(path_ + "/ledger"));
  EXPECT_EQ(InsertFake(&cache, "b", 5000), Kept::kInserted);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes + 2 * 8192);
  FlipByte(path_ + "/ledger", 9);
  EXPECT_EQ(InsertFake(&cache, "c", 5000), Kept::kInserted);
  EXPECT_EQ(InsertFake(&cache, "d", 5000), Kept::kFull);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes + 3 * 8192);
}

TEST_F(DiskCacheTest, ADirectoryThatIsRemovedIsAnErrorAndNotACrash) {
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 5000), Kept::kInserted);
  std::filesystem::remove_all(path_);
  EXPECT_EQ(ReadFake(&cache, "a", 5000), Found::kMiss);
  EXPECT_THROW(InsertFake(&cache, "a", 5000), Error);
}

// A process that holds the ledger for good keeps nobody from reading.
TEST_F(DiskCacheTest, ABusyLedgerIsNotWaitedForForLong) {
  DiskCache cache(path_, kPlenty);
  EXPECT_EQ(InsertFake(&cache, "a", 5000), Kept::kInserted);
  const auto held = CacheLedger(path_ + "/ledger").Take(std::chrono::seconds(60));
  EXPECT_EQ(InsertFake(&cache, "b", 5000), Kept::kBusy);
  EXPECT_EQ(ReadFake(&cache, "a", 5000), Found::kHit);
}

}  // namespace
}  // namespace smtf
