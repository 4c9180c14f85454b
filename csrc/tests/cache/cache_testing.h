// Helpers of the disk cache's tests.
#ifndef SMTF_TESTS_CACHE_CACHE_TESTING_H_
#define SMTF_TESTS_CACHE_CACHE_TESTING_H_

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache_key.h"
#include "cache/cache_ledger.h"
#include "cache/disk_cache.h"
#include "prefetch/fake_object_source.h"
#include "temporary_directory.h"

namespace smtf {

// The files of `directory` that end so.
inline std::vector<std::string> FilesEnding(const std::string& directory,
                                            const std::string& suffix) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(directory, ignored), end; at != end;
       at.increment(ignored)) {
    if (at->path().extension() == suffix) paths.push_back(at->path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What the files take at one moment: none comes or goes while the ledger is held.
inline uint64_t BytesOnDisk(const std::string& directory) {
  const auto turn = CacheLedger(directory + "/ledger").Take(std::chrono::seconds(60));
  EXPECT_TRUE(turn.has_value());
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat status{};
    if (lstat(entry.path().c_str(), &status) == 0) bytes += static_cast<uint64_t>(status.st_size);
  }
  return bytes;
}

inline void FlipByte(const std::string& path, uint64_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
  ASSERT_TRUE(file.good()) << path;
}

// Runs `body` in a process of its own, which ends with what it returns.
inline pid_t Spawn(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child != 0) return child;
  bool good = false;
  try {
    good = body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
  }
  _exit(good ? 0 : 1);
}

// The exit status of a child; -1 where a signal ended it.
inline int ExitStatus(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// The content of object `name`; the tests' objects are cached whole.
inline std::string FakeContent(const std::string& name, size_t size) {
  static const FakeObjectSource source({});
  return source.Content(name, size);
}

inline CacheKey FakeKey(std::string_view name, size_t size, std::string_view etag = "\"1\"") {
  return {"test", 0, name, etag, size, 0, size};
}

inline DiskCache::Kept InsertFake(DiskCache* cache, const std::string& name, size_t size) {
  const std::atomic<bool> stop{false};
  return cache->Insert(FakeKey(name, size), FakeContent(name, size), std::nullopt, stop);
}

// A hit with other bytes fails the test.
inline DiskCache::Found ReadFake(DiskCache* cache, const std::string& name, size_t size) {
  const std::atomic<bool> stop{false};
  std::string got(size, '?');
  std::optional<AnnouncedChecksum> checksum;
  const DiskCache::Found found = cache->Read(FakeKey(name, size), got.data(), &checksum, stop);
  if (found == DiskCache::Found::kHit) {
    EXPECT_TRUE(got == FakeContent(name, size)) << name;
  }
  return found;
}

// A cache directory that is not there yet, in one that is not there either.
class CacheDirectoryTest : public testing::Test {
 protected:
  std::vector<std::string> Entries() { return FilesEnding(path_, ".entry"); }
  std::vector<std::string> Parts() { return FilesEnding(path_, ".part"); }
  uint64_t Ledger() {
    return CacheLedger(path_ + "/ledger").Take(std::chrono::seconds(60))->bytes().value();
  }

  TemporaryDirectory dir_;
  const std::string path_ = dir_ / "above/cache";
};

}  // namespace smtf

#endif  // SMTF_TESTS_CACHE_CACHE_TESTING_H_
