// Threads and processes that use one cache directory, and some that die of it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "cache/cache_directory.h"
#include "cache/cache_ledger.h"
#include "cache/cache_testing.h"
#include "cache/disk_cache.h"
#include "file_descriptor.h"

namespace smtf {
namespace {

using Found = DiskCache::Found;
using Kept = DiskCache::Kept;
using DiskCacheSharingTest = CacheDirectoryTest;

constexpr uint64_t kMiB = 1024 * 1024;

// What a thread or process of the tests below does: reads, writes, removes, evicts. The first
// object marks the epochs and is asked for often, so entries go stale quickly.
bool WorkAtRandom(DiskCache* cache, unsigned seed, int steps) {
  std::mt19937 random(seed);
  const std::atomic<bool> stop{false};
  bool good = true;
  for (int step = 0; step < steps; ++step) {
    const unsigned object = random() % 8 == 0 ? 0 : random() % 60;
    const std::string name = std::to_string(object);
    const size_t size = 1000 + object * 3000;
    const std::string content = FakeContent(name, size);
    std::string got(size, '?');
    std::optional<AnnouncedChecksum> checksum;
    const Found found = cache->Read(FakeKey(name, size), got.data(), &checksum, stop);
    if (found == Found::kHit) good = good && got == content;
    if (found == Found::kMiss) cache->Insert(FakeKey(name, size), content, std::nullopt, stop);
    if (found == Found::kDamaged) good = false;
    if (random() % 16 == 0) cache->Distrust(FakeKey(name, size));
  }
  return good;
}

TEST_F(DiskCacheSharingTest, ThreadsKeepTheBoundAtEveryMoment) {
  constexpr uint64_t kBound = 1'000'000;  // of 5.4 MB
  DiskCache cache(path_, kBound);
  cache.Open();
  std::atomic<int> running{8};
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 8; ++seed) {
    threads.emplace_back([&, seed] {
      EXPECT_TRUE(WorkAtRandom(&cache, seed, 400));
      --running;
    });
  }
  uint64_t most = 0;
  while (running > 0) {
    most = std::max(most, BytesOnDisk(path_));
    std::this_thread::yield();
  }
  for (auto& thread : threads) thread.join();
  most = std::max(most, BytesOnDisk(path_));
  EXPECT_LE(most, kBound);
  EXPECT_GT(most, kBound / 2) << "nothing was put to the test";
  EXPECT_GT(cache.evicted_bytes(), 0u) << "nothing was put to the test";
}

TEST_F(DiskCacheSharingTest, ProcessesShareIt) {
  constexpr uint64_t kBound = 1'000'000;
  {
    DiskCache(path_, kBound).Open();
  }
  std::vector<pid_t> children;
  for (unsigned seed = 0; seed < 4; ++seed) {
    children.push_back(Spawn([&, seed] {
      DiskCache cache(path_, kBound);
      cache.Open();
      return WorkAtRandom(&cache, seed, 300);
    }));
  }
  uint64_t most = 0;
  for (int looks = 0; looks < 50; ++looks) most = std::max(most, BytesOnDisk(path_));
  for (const pid_t child : children) EXPECT_EQ(ExitStatus(child), 0);
  EXPECT_LE(std::max(most, BytesOnDisk(path_)), kBound);

  // The number that four processes kept is what is there. On a machine that is busy enough somebody
  // may have given up before the end.
  uint64_t kept = Ledger();
  for (const auto& part : Parts()) kept -= CacheFootprint(std::filesystem::file_size(part));
  DiskCache cache(path_, kBound);
  cache.Open();
  EXPECT_TRUE(Parts().empty());
  EXPECT_EQ(Ledger(), kept);
  int hits = 0;
  for (unsigned object = 0; object < 60; ++object) {
    hits += ReadFake(&cache, std::to_string(object), 1000 + object * 3000) == Found::kHit;
  }
  EXPECT_EQ(hits, static_cast<int>(Entries().size()));
  EXPECT_GT(hits, 0);
}

// Whether a living process writes the part: the cache asks the same.
bool IsLocked(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.ok() && flock(file.get(), LOCK_EX | LOCK_NB) != 0;
}

// Kills a process while it writes. Where the part lies.
std::string KillWriter(const std::string& path, uint64_t bound) {
  const size_t size = 16 * kMiB;
  const std::string content = FakeContent("large", size);
  for (;;) {
    const pid_t child = Spawn([&]() -> bool {
      DiskCache cache(path, bound);
      const std::atomic<bool> stop{false};
      for (;;) {
        cache.Insert(FakeKey("large", size), content, std::nullopt, stop);
        cache.Distrust(FakeKey("large", size));
      }
    });
    while (FilesEnding(path, ".part").empty()) {
      if (waitpid(child, nullptr, WNOHANG) == child) {
        ADD_FAILURE() << "the writer ended by itself";
        return "";
      }
      usleep(100);
    }
    kill(child, SIGKILL);
    EXPECT_EQ(ExitStatus(child), -1);
    const auto parts = FilesEnding(path, ".part");
    if (!parts.empty()) return parts[0];  // it could have ended that insert before the signal came
  }
}

TEST_F(DiskCacheSharingTest, AKilledWritersPartIsRemoved) {
  const uint64_t bound = 20 * kMiB;
  {
    DiskCache(path_, bound).Open();
  }
  const std::string part = KillWriter(path_, bound);
  EXPECT_FALSE(IsLocked(part));
  EXPECT_LE(BytesOnDisk(path_), bound);
  DiskCache cache(path_, bound);
  cache.Open();
  EXPECT_TRUE(Parts().empty());
  EXPECT_EQ(ReadFake(&cache, "large", 16 * kMiB), Found::kMiss);
  EXPECT_EQ(InsertFake(&cache, "large", 16 * kMiB), Kept::kInserted);
  EXPECT_EQ(ReadFake(&cache, "large", 16 * kMiB), Found::kHit);
}

TEST_F(DiskCacheSharingTest, ALivingWritersPartIsNot) {
  DiskCache cache(path_, 64 * kMiB);
  cache.Open();
  const CacheDirectory directory(path_);
  const auto part = directory.MakePart(CacheStem(FakeKey("a", 1000)), 10'000);
  EXPECT_TRUE(IsLocked(part.path));
  DiskCache(path_, 64 * kMiB).Open();
  EXPECT_EQ(Parts().size(), 1u);
  EXPECT_EQ(Ledger(), CacheLedger::kBytes + 12'288) << "it counts with its whole length";
}

}  // namespace
}  // namespace smtf
