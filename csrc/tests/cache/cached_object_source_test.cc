#include "cache/cached_object_source.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cache/cache_testing.h"
#include "errors.h"
#include "prefetch/fake_object_source.h"
#include "temporary_directory.h"

namespace smtf {
namespace {

using Status = FetchResult::Status;

constexpr uint64_t kMiB = 1024 * 1024;

// Counts what it is asked for; the next answer can be cut short, and a checksum announced.
class CountingSource : public ObjectSource {
 public:
  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override {
    return std::make_unique<Fetcher>(this, fake.MakeFetcher(limits));
  }
  std::string Describe(const ObjectRef& object) const override { return fake.Describe(object); }

  FakeObjectSource fake{{}};
  int fetches = 0;
  int nudges = 0;
  std::optional<size_t> cut_at;
  std::optional<AnnouncedChecksum> checksum;

 private:
  class Fetcher : public ObjectFetcher {
   public:
    Fetcher(CountingSource* source, std::unique_ptr<ObjectFetcher> inner)
        : source_(source), inner_(std::move(inner)) {}
    FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
      ++source_->fetches;
      FetchResult result = inner_->Fetch(request, stop);
      if (const auto cut_at = std::exchange(source_->cut_at, std::nullopt)) {
        result.status = Status::kRetry;
        result.bytes = *cut_at;
      }
      result.checksum = source_->checksum;
      return result;
    }
    void Nudge() noexcept override { ++source_->nudges; }

   private:
    CountingSource* const source_;
    const std::unique_ptr<ObjectFetcher> inner_;
  };
};

class CachedObjectSourceTest : public testing::Test {
 protected:
  void Make(uint64_t bytes = 16 * kMiB) {
    source_ = std::make_unique<CachedObjectSource>(inner_, CacheOptions{"fake", path_, bytes});
    fetcher_ = source_->MakeFetcher({});
  }

  // Whether or not it is a hit, a fetch that is done has the right bytes.
  FetchResult Fetch(const std::string& name, uint64_t offset, size_t size,
                    const std::string& etag = "\"1\"", unsigned attempt = 1) {
    std::string got(size, '?');
    const std::atomic<bool> stop{false};
    const ObjectRef object{name, kObjectBytes, etag};
    const FetchResult result = fetcher_->Fetch({object, offset, got.data(), size, attempt}, stop);
    if (result.status == Status::kDone) {
      EXPECT_EQ(result.bytes, size);
      EXPECT_TRUE(got == inner_->fake.Content(name, kObjectBytes).substr(offset, size));
    }
    return result;
  }

  static constexpr uint64_t kObjectBytes = 4 * kMiB;
  TemporaryDirectory dir_;
  const std::string path_ = dir_ / "cache";
  const std::shared_ptr<CountingSource> inner_ = std::make_shared<CountingSource>();
  std::unique_ptr<CachedObjectSource> source_;
  std::unique_ptr<ObjectFetcher> fetcher_;
};

TEST_F(CachedObjectSourceTest, TheSecondFetchIsAHit) {
  Make();
  for (int epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(Fetch("a", 0, kMiB).status, Status::kDone);
    EXPECT_EQ(Fetch("a", kMiB, 3 * kMiB).status, Status::kDone);
  }
  EXPECT_EQ(inner_->fetches, 2);
  const CacheStats stats = source_->stats();
  EXPECT_EQ(stats.hits, 4u);
  EXPECT_EQ(stats.misses, 2u);
  EXPECT_EQ(stats.hit_bytes, 8 * kMiB);
  EXPECT_EQ(stats.inserted_bytes, 4 * kMiB);
  EXPECT_EQ(stats.refused, 0u);
  EXPECT_EQ(stats.failures, 0u);
  EXPECT_EQ(source_->Describe({"a", 0, "", 0}), "fake://a");
}

TEST_F(CachedObjectSourceTest, AHitOutlivesTheSource) {
  Make();
  Fetch("a", 0, kMiB);
  Make();
  Fetch("a", 0, kMiB);
  EXPECT_EQ(inner_->fetches, 1);
}

TEST_F(CachedObjectSourceTest, NamespacesAreApart) {
  Make();
  Fetch("a", 0, kMiB);
  source_ = std::make_unique<CachedObjectSource>(inner_, CacheOptions{"other", path_, 16 * kMiB});
  fetcher_ = source_->MakeFetcher({});
  Fetch("a", 0, kMiB);
  EXPECT_EQ(inner_->fetches, 2);
}

TEST_F(CachedObjectSourceTest, AnotherETagIsAMiss) {
  Make();
  Fetch("a", 0, kMiB, "\"1\"");
  Fetch("a", 0, kMiB, "\"2\"");
  EXPECT_EQ(inner_->fetches, 2);
  Fetch("a", 0, kMiB, "\"2\"");
  EXPECT_EQ(inner_->fetches, 2);
}

TEST_F(CachedObjectSourceTest, WithoutAnETagNothingIsCached) {
  Make();
  Fetch("a", 0, kMiB, "");
  Fetch("a", 0, kMiB, "");
  EXPECT_EQ(inner_->fetches, 2);
  EXPECT_TRUE(FilesEnding(path_, ".entry").empty());
  EXPECT_EQ(source_->stats().misses, 0u) << "it was not looked for";
}

TEST_F(CachedObjectSourceTest, DamageIsCountedAndFetchedAgain) {
  Make();
  Fetch("a", 0, kMiB);
  FlipByte(FilesEnding(path_, ".entry").at(0), 700'000);
  EXPECT_EQ(Fetch("a", 0, kMiB).status, Status::kDone);
  EXPECT_EQ(inner_->fetches, 2);
  EXPECT_EQ(source_->stats().failures, 1u);
  EXPECT_NE(source_->stats().last_failure.find("fake://a bytes 0-1048575"), std::string::npos)
      << source_->stats().last_failure;
  Fetch("a", 0, kMiB);
  EXPECT_EQ(inner_->fetches, 2) << "it was inserted again";
}

TEST_F(CachedObjectSourceTest, AFailedFetchIsNotCached) {
  Make();
  inner_->cut_at = 1000;
  EXPECT_EQ(Fetch("a", 0, kMiB).status, Status::kRetry);
  EXPECT_TRUE(FilesEnding(path_, ".entry").empty());
}

TEST_F(CachedObjectSourceTest, AResumedPartIsCachedWhole) {
  Make();
  std::string got(kMiB, '?');
  const std::atomic<bool> stop{false};
  const ObjectRef object{"a", kObjectBytes, "\"1\""};
  inner_->cut_at = 1000;
  inner_->checksum = AnnouncedChecksum{ChecksumKind::kCrc32c, 7};
  EXPECT_EQ(fetcher_->Fetch({object, 5000, got.data(), got.size(), 1}, stop).status,
            Status::kRetry);
  const FetchRequest rest{object, 6000, got.data() + 1000, got.size() - 1000, 2, 1000};
  EXPECT_EQ(fetcher_->Fetch(rest, stop).status, Status::kDone);
  EXPECT_EQ(inner_->fetches, 2);
  inner_->checksum.reset();
  EXPECT_FALSE(Fetch("a", 5000, kMiB).checksum.has_value()) << "it may be that of the rest";
  EXPECT_EQ(inner_->fetches, 2);
}

// Who verifies the objects' checksums asks again for what does not match.
TEST_F(CachedObjectSourceTest, ARetryDoesNotTrustTheCache) {
  Make();
  Fetch("a", 0, kMiB);
  inner_->cut_at = 0;
  EXPECT_EQ(Fetch("a", 0, kMiB, "\"1\"", 2).status, Status::kRetry);
  EXPECT_TRUE(FilesEnding(path_, ".entry").empty());
  EXPECT_EQ(Fetch("a", 0, kMiB, "\"1\"", 3).status, Status::kDone);
  EXPECT_EQ(inner_->fetches, 3);
  Fetch("a", 0, kMiB);
  EXPECT_EQ(inner_->fetches, 3);
}

TEST_F(CachedObjectSourceTest, AHitHasTheChecksumOfTheMiss) {
  Make();
  inner_->checksum = AnnouncedChecksum{ChecksumKind::kCrc64Nvme, 0x0123456789abcdef};
  Fetch("a", 0, kMiB);
  inner_->checksum.reset();
  const FetchResult hit = Fetch("a", 0, kMiB);
  EXPECT_EQ(inner_->fetches, 1);
  ASSERT_TRUE(hit.checksum.has_value());
  EXPECT_EQ(hit.checksum->kind, ChecksumKind::kCrc64Nvme);
  EXPECT_EQ(hit.checksum->value, 0x0123456789abcdefu);
}

TEST_F(CachedObjectSourceTest, SeesTheStopFlagAndForwardsNudges) {
  Make();
  Fetch("a", 0, kMiB);
  std::string got(kMiB, '?');
  const std::atomic<bool> stop{true};
  const ObjectRef object{"a", kObjectBytes, "\"1\""};
  const FetchResult result = fetcher_->Fetch({object, 0, got.data(), got.size(), 1}, stop);
  EXPECT_EQ(result.status, Status::kStopped);
  EXPECT_EQ(result.bytes, 0u) << "nothing of it is verified";
  fetcher_->Nudge();
  EXPECT_EQ(inner_->nudges, 1);
}

TEST_F(CachedObjectSourceTest, CyclicScansOfTwiceItsSizeHitHalf) {
  Make(4 * kMiB + 20 * 4096);  // 16 parts of 256 KiB, each with a block for its header
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (const char* name : {"a", "b"}) {
      for (uint64_t offset = 0; offset < kObjectBytes; offset += kMiB / 4) {
        EXPECT_EQ(Fetch(name, offset, kMiB / 4).status, Status::kDone);
      }
    }
  }
  EXPECT_EQ(source_->stats().hits, 3u * 16);
  EXPECT_EQ(source_->stats().refused, 4u * 16);
  EXPECT_EQ(inner_->fetches, 32 + 3 * 16);
  EXPECT_LE(BytesOnDisk(path_), 4 * kMiB + 20 * 4096);
}

TEST_F(CachedObjectSourceTest, ManyThreadsFetchAtOnce) {
  const auto inner = std::make_shared<FakeObjectSource>(FakeObjectOptions{});
  CachedObjectSource source(inner, {"fake", path_, 16 * kMiB});
  std::atomic<int> wrong{0};
  const auto epochs = [&](unsigned thread) {
    const std::atomic<bool> stop{false};
    const auto fetcher = source.MakeFetcher({});
    for (unsigned i = 0; i < 40; ++i) {
      // Some of them ask for the same at the same time.
      const std::string name = std::to_string((i + thread / 2) % 10);
      std::string got(100'000, '?');
      const ObjectRef object{name, got.size(), "\"1\""};
      const auto result = fetcher->Fetch({object, 0, got.data(), got.size(), 1}, stop);
      if (result.status != Status::kDone || got != inner->Content(name, got.size())) ++wrong;
      source.stats();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 8; ++thread) threads.emplace_back(epochs, thread);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  const CacheStats stats = source.stats();
  EXPECT_EQ(stats.hits + stats.misses, 8u * 40);
  EXPECT_GT(stats.hits, 0u);
  EXPECT_EQ(stats.failures, 0u);
}

// A file is in the way, which stops root too.
TEST_F(CachedObjectSourceTest, ADirectoryThatCannotBeMadeFailsNoFetch) {
  dir_.WriteFile("cache", "");
  Make();
  EXPECT_EQ(source_->stats().failures, 1u) << "known before the first fetch";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Fetch("a", 0, kMiB).status, Status::kDone);
  EXPECT_EQ(inner_->fetches, 3);
  EXPECT_EQ(source_->stats().failures, 4u);
  EXPECT_NE(source_->stats().last_failure.find(path_), std::string::npos);
  std::filesystem::remove(path_);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Fetch("a", 0, kMiB).status, Status::kDone);
  EXPECT_EQ(inner_->fetches, 4) << "it recovers";
}

TEST_F(CachedObjectSourceTest, AnUnwritableDirectoryFailsNoFetch) {
  std::filesystem::create_directory(path_);
  ASSERT_EQ(chmod(path_.c_str(), 0500), 0);
  const auto body = [&] {
    // Modes mean nothing to root: the child is somebody else.
    if (geteuid() == 0 &&
        (chown(path_.c_str(), 12345, 12345) != 0 || chmod(dir_.path().c_str(), 0755) != 0 ||
         setegid(12345) != 0 || seteuid(12345) != 0)) {
      return false;
    }
    Make();
    const bool fetched = Fetch("a", 0, kMiB).status == Status::kDone;
    const CacheStats stats = source_->stats();
    return fetched && stats.failures == 2 && stats.inserted_bytes == 0 && !HasFailure();
  };
  EXPECT_EQ(ExitStatus(Spawn(body)), 0);
}

// A file system of 300 kB, where the tests may mount one.
TEST_F(CachedObjectSourceTest, AFullDiskFailsNoFetch) {
  constexpr int kMayNotMount = 77;
  const auto mount_small = [&] {
    std::filesystem::create_directory(path_);
    const bool own_mounts = unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    return own_mounts && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("none", path_.c_str(), "tmpfs", 0, "size=300k,mode=0700") == 0;
  };
  const auto body = [&] {
    if (!mount_small()) _exit(kMayNotMount);
    Make();
    const bool large = Fetch("a", 0, kMiB).status == Status::kDone;
    const CacheStats stats = source_->stats();
    const bool small = Fetch("b", 0, 100'000).status == Status::kDone &&
                       Fetch("b", 0, 100'000).status == Status::kDone;
    return large && small && stats.failures == 1 && FilesEnding(path_, ".part").empty() &&
           source_->stats().hits == 1 && !HasFailure();
  };
  const int status = ExitStatus(Spawn(body));
  if (status == kMayNotMount) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(status, 0);
}

// What other limits refuse is the same to the cache.
TEST_F(CachedObjectSourceTest, ALimitOnFilesFailsNoFetch) {
  const auto body = [&] {
    Make();
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    const bool fetched = Fetch("a", 0, kMiB).status == Status::kDone;
    const CacheStats stats = source_->stats();
    return fetched && stats.failures == 1 && FilesEnding(path_, ".part").empty() &&
           FilesEnding(path_, ".entry").empty() && !HasFailure();
  };
  EXPECT_EQ(ExitStatus(Spawn(body)), 0);
}

TEST_F(CachedObjectSourceTest, OptionsThatMakeNoSenseAreRefused) {
  for (const CacheOptions& options : {CacheOptions{"n", "", 16 * kMiB}, CacheOptions{"n", path_, 0},
                                      CacheOptions{"n", path_, kMiB - 1}}) {
    try {
      const CachedObjectSource source(inner_, options);
      ADD_FAILURE() << "was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace smtf
