#include "cache/cached_object_source.h"

#include <cstdio>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

// Less holds not even a small part.
constexpr uint64_t kLeastBytes = 1024 * 1024;

uint64_t Checked(const CacheOptions& options) {
  if (options.directory.empty()) {
    throw Error(ErrorKind::kInvalidArgument, "cache_dir is empty; name a directory");
  }
  if (options.bytes < kLeastBytes) {
    throw Error(ErrorKind::kInvalidArgument, "cache_bytes is " + std::to_string(options.bytes) +
                                                 " and must be at least " +
                                                 std::to_string(kLeastBytes));
  }
  return options.bytes;
}

}  // namespace

class CachedObjectSource::Fetcher : public ObjectFetcher {
 public:
  Fetcher(CachedObjectSource* source, std::unique_ptr<ObjectFetcher> inner)
      : source_(source), inner_(std::move(inner)) {}

  FetchResult Fetch(const FetchRequest& request, const std::atomic<bool>& stop) override {
    if (request.object.etag.empty()) return inner_->Fetch(request, stop);
    if (auto found = source_->Find(request, stop)) return *std::move(found);
    FetchResult result = inner_->Fetch(request, stop);
    if (result.status == FetchResult::Status::kDone) source_->Keep(request, result, stop);
    return result;
  }

  // What goes to or comes from the disk looks at its flag by itself.
  void Nudge() noexcept override { inner_->Nudge(); }

 private:
  CachedObjectSource* const source_;
  const std::unique_ptr<ObjectFetcher> inner_;
};

CachedObjectSource::CachedObjectSource(std::shared_ptr<ObjectSource> inner,
                                       const CacheOptions& options)
    : inner_(std::move(inner)),
      name_space_(options.name_space),
      cache_(options.directory, Checked(options)) {
  try {
    cache_.Open();
  } catch (const Error& error) {
    Failed(error.what());
  }
}

std::unique_ptr<ObjectFetcher> CachedObjectSource::MakeFetcher(const FetchLimits& limits) {
  return std::make_unique<Fetcher>(this, inner_->MakeFetcher(limits));
}

// Of the whole part, of which the request may be the rest.
CacheKey CachedObjectSource::KeyOf(const FetchRequest& request) const {
  const ObjectRef& object = request.object;
  return {name_space_,
          object.source,
          object.name,
          object.etag,
          object.size,
          request.offset - request.resumed,
          request.size + request.resumed};
}

// The answer, if it is known without the inner source.
std::optional<FetchResult> CachedObjectSource::Find(const FetchRequest& request,
                                                    const std::atomic<bool>& stop) {
  FetchResult result;
  const DiskCache::Found found = Read(request, &result, stop);
  if (found == DiskCache::Found::kStopped) {
    result.status = FetchResult::Status::kStopped;
    return result;
  }
  const std::lock_guard lock(mutex_);
  if (found != DiskCache::Found::kHit) {
    ++stats_.misses;
    return std::nullopt;
  }
  ++stats_.hits;
  stats_.hit_bytes += request.size;
  result.bytes = request.size;
  return result;
}

DiskCache::Found CachedObjectSource::Read(const FetchRequest& request, FetchResult* result,
                                          const std::atomic<bool>& stop) {
  const CacheKey key = KeyOf(request);
  try {
    if (request.attempt > 1 || request.resumed > 0) {
      cache_.Distrust(key);
      return DiskCache::Found::kMiss;
    }
    const DiskCache::Found found = cache_.Read(key, request.dst, &result->checksum, stop);
    if (found == DiskCache::Found::kDamaged) {
      Failed("the entry of " + Describe(request.object) + " bytes " + std::to_string(key.offset) +
             "-" + std::to_string(key.offset + key.length - 1) +
             " was damaged and is removed; if that happens again, mistrust the disk");
    }
    return found;
  } catch (const Error& error) {
    Failed(error.what());
    return DiskCache::Found::kMiss;
  }
}

void CachedObjectSource::Keep(const FetchRequest& request, const FetchResult& result,
                              const std::atomic<bool>& stop) {
  const CacheKey key = KeyOf(request);
  // What is announced for the rest of a part may be the checksum of that rest alone.
  const auto checksum = request.resumed > 0 ? std::nullopt : result.checksum;
  try {
    const std::string_view part(request.dst - request.resumed, key.length);
    const DiskCache::Kept kept = cache_.Insert(key, part, checksum, stop);
    const std::lock_guard lock(mutex_);
    if (kept == DiskCache::Kept::kInserted) stats_.inserted_bytes += key.length;
    if (kept == DiskCache::Kept::kFull || kept == DiskCache::Kept::kBusy) ++stats_.refused;
  } catch (const Error& error) {
    Failed(error.what());
  }
}

CacheStats CachedObjectSource::stats() const {
  const std::lock_guard lock(mutex_);
  CacheStats stats = stats_;
  stats.evicted_bytes = cache_.evicted_bytes();
  return stats;
}

void CachedObjectSource::Failed(const std::string& what) {
  const std::lock_guard lock(mutex_);
  stats_.last_failure = what;
  if (stats_.failures++ > 0) return;
  std::fprintf(stderr,
               "sagemaker_tensorflow: disk cache %s: %s. What the cache cannot give is fetched; "
               "later failures are only counted.\n",
               cache_.directory().c_str(), what.c_str());
}

}  // namespace smtf
