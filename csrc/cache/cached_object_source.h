// A source that keeps what another one gives on a disk, for the next epoch.
#ifndef SMTF_CACHE_CACHED_OBJECT_SOURCE_H_
#define SMTF_CACHE_CACHED_OBJECT_SOURCE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cache/cache_key.h"
#include "cache/disk_cache.h"
#include "prefetch/object_source.h"

namespace smtf {

struct CacheOptions {
  std::string name_space;  // part of every key: tells this source's objects from others'
  std::string directory;
  uint64_t bytes = 0;  // bound on all files of the directory; at least 1 MiB
};

// Since the start; sizes in bytes.
struct CacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t hit_bytes = 0;
  uint64_t inserted_bytes = 0;
  uint64_t refused = 0;        // not inserted, because the cache is full or its ledger busy
  uint64_t evicted_bytes = 0;  // by this process, on the disk
  uint64_t failures = 0;       // damaged entries, and whatever the disk refused
  std::string last_failure;
};

// What is asked for is looked up by object, ETag, size and range; what is not there is asked of the
// inner source and inserted. That helps where ranges repeat, as those of a part plan with a fixed
// part size do, but for the first part of an epoch that begins with another object. An object
// without ETag is not cached: nothing would tell its versions apart.
//
// A failing cache fails no fetch: it is counted, the first is printed to stderr, and the inner
// source is asked.
//
// A part is looked up at its first try only. A later one may be there because somebody found its
// bytes wrong: then what is kept of its object is removed. When a try completes what earlier ones
// began, the whole part is inserted. The store's checksum of the object is kept with it and handed
// out on a hit, so that who verifies objects verifies them again.
class CachedObjectSource : public ObjectSource {
 public:
  // Opens the cache. An Error of kind kInvalidArgument for options that make no sense; a directory
  // that cannot be used is a failure like others.
  CachedObjectSource(std::shared_ptr<ObjectSource> inner, const CacheOptions& options);

  std::unique_ptr<ObjectFetcher> MakeFetcher(const FetchLimits& limits) override;
  std::string Describe(const ObjectRef& object) const override { return inner_->Describe(object); }

  // Any thread.
  CacheStats stats() const;

 private:
  class Fetcher;

  CacheKey KeyOf(const FetchRequest& request) const;
  std::optional<FetchResult> Find(const FetchRequest& request, const std::atomic<bool>& stop);
  DiskCache::Found Read(const FetchRequest& request, FetchResult* result,
                        const std::atomic<bool>& stop);
  void Keep(const FetchRequest& request, const FetchResult& result, const std::atomic<bool>& stop);
  void Failed(const std::string& what);

  const std::shared_ptr<ObjectSource> inner_;
  const std::string name_space_;
  DiskCache cache_;
  mutable std::mutex mutex_;  // a leaf
  CacheStats stats_;
};

}  // namespace smtf

#endif  // SMTF_CACHE_CACHED_OBJECT_SOURCE_H_
