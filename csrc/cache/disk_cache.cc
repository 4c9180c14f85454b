#include "cache/disk_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <limits>
#include <utility>

#include "cache/cache_entry.h"
#include "errors.h"
#include "file_descriptor.h"

namespace smtf {
namespace {

// A turn takes tens of microseconds; counting a million entries, seconds.
// Somebody's data waits meanwhile, so that it is soon given up; but not where a file that was
// written would be left behind.
constexpr std::chrono::milliseconds kPatience{250};
constexpr std::chrono::milliseconds kEndPatience{2'000};
constexpr std::chrono::milliseconds kOpenPatience{10'000};

bool IsAt(int fd, const std::string& path) {
  struct stat opened{}, named{};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

DiskCache::DiskCache(std::string directory, uint64_t bound)
    : directory_(std::move(directory)), ledger_(directory_.LedgerPath()), bound_(bound) {}

void DiskCache::Open() { OpenWithin(kOpenPatience); }

void DiskCache::OpenWithin(std::chrono::milliseconds patience) {
  directory_.Make();
  std::optional<LedgerTurn> turn = ledger_.Take(patience);
  if (!turn) {
    throw Error(ErrorKind::kUnavailable,
                "the lock of " + ledger_.path() + " is held by a process that does not let go");
  }
  Count(&*turn);
  Shrink(&*turn);
  open_ = true;
}

// A turn with a ledger whose number is known.
std::optional<LedgerTurn> DiskCache::Enter(std::chrono::milliseconds patience) {
  std::optional<LedgerTurn> turn = ledger_.Take(patience);
  if (turn && !turn->bytes()) Count(&*turn);
  return turn;
}

void DiskCache::Count(LedgerTurn* turn) { turn->Set(CacheLedger::kBytes + directory_.Count()); }

// For a directory that was filled under a larger bound.
void DiskCache::Shrink(LedgerTurn* turn) {
  if (*turn->bytes() <= bound_) return;
  std::vector<CachedFile> all = directory_.UnusedSince(std::numeric_limits<int64_t>::max());
  for (; *turn->bytes() > bound_ && !all.empty(); all.pop_back()) Evict(turn, all.back());
}

bool DiskCache::MakeRoom(LedgerTurn* turn, uint64_t footprint) {
  while (*turn->bytes() > bound_ - footprint) {
    const std::optional<CachedFile> victim = TakeStale();
    if (!victim) return false;
    Evict(turn, *victim);
  }
  return true;
}

// Unless it was used, replaced or removed since it was listed.
void DiskCache::Evict(LedgerTurn* turn, const CachedFile& entry) {
  CachedFile now;
  if (!FindCachedFile(entry.path, &now) || now.used_at != entry.used_at) return;
  if (unlink(entry.path.c_str()) != 0) throw SystemError("removing " + entry.path, errno);
  turn->Subtract(now.footprint);
  evicted_bytes_ += now.footprint;
}

std::optional<CachedFile> DiskCache::TakeStale() {
  const std::lock_guard lock(mutex_);
  if (stale_.empty()) return std::nullopt;
  CachedFile entry = std::move(stale_.back());
  stale_.pop_back();
  return entry;
}

// Lists them anew, once for each move of the horizon, which is once per epoch. The listing needs no
// turn with the ledger: what is evicted is looked at again.
bool DiskCache::FindStale() {
  const int64_t horizon = horizon_.Get();
  {
    const std::lock_guard lock(mutex_);
    if (horizon <= stale_since_) return false;
    stale_since_ = horizon;
  }
  std::vector<CachedFile> stale = directory_.UnusedSince(horizon);
  const std::lock_guard lock(mutex_);
  stale_ = std::move(stale);
  return !stale_.empty();
}

DiskCache::Found DiskCache::Read(const CacheKey& key, char* dst,
                                 std::optional<AnnouncedChecksum>* checksum,
                                 const std::atomic<bool>& stop) {
  const std::string stem = CacheStem(key);
  // By object and not by range: the first part of an epoch has a length of its own.
  if (key.offset == 0) horizon_.Note(stem.substr(0, kObjectStemLength), CacheClock());
  if (!open_) return Found::kMiss;
  const std::string path = directory_.EntryPath(stem);
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.ok() && errno == ENOENT) return Found::kMiss;
  if (!file.ok()) throw SystemError("opening " + path, errno);
  switch (ReadCacheEntry(file.get(), EncodeCacheKey(key), dst, key.length, checksum, stop)) {
    case EntryState::kGood:
      MarkUsed(file.get());
      return Found::kHit;
    case EntryState::kStopped:
      return Found::kStopped;
    case EntryState::kOther:
      RemoveFile(path, file.get());
      return Found::kMiss;
    case EntryState::kDamaged:
      break;
  }
  RemoveFile(path, file.get());
  return Found::kDamaged;
}

DiskCache::Kept DiskCache::Insert(const CacheKey& key, std::string_view payload,
                                  const std::optional<AnnouncedChecksum>& checksum,
                                  const std::atomic<bool>& stop) {
  if (!open_) OpenWithin(kPatience);
  const std::string stem = CacheStem(key);
  const std::string encoded = EncodeCacheKey(key);
  CacheDirectory::Part part;
  const uint64_t bytes = CacheEntryBytes(encoded, payload.size());
  if (CacheLedger::kBytes + CacheFootprint(bytes) > bound_) return Kept::kFull;
  Kept reserved = Reserve(stem, bytes, &part);
  if (reserved == Kept::kFull && FindStale()) reserved = Reserve(stem, bytes, &part);
  if (reserved != Kept::kInserted) return reserved;
  try {
    if (!WriteCacheEntry(part.file.get(), encoded, payload, checksum, stop)) {
      Discard(part);
      return Kept::kStopped;
    }
    MarkUsed(part.file.get());
    return Publish(part, stem);
  } catch (const Error& error) {
    Discard(part);
    throw Error(error.kind(), part.path + ": " + error.what());
  }
}

DiskCache::Kept DiskCache::Reserve(std::string_view stem, uint64_t bytes,
                                   CacheDirectory::Part* part) {
  const uint64_t footprint = CacheFootprint(bytes);
  std::optional<LedgerTurn> turn = Enter(kPatience);
  if (!turn) return Kept::kBusy;
  CachedFile present;
  if (FindCachedFile(directory_.EntryPath(stem), &present)) return Kept::kPresent;
  if (!MakeRoom(&*turn, footprint)) return Kept::kFull;
  *part = directory_.MakePart(stem, bytes);
  turn->Add(footprint);
  return Kept::kInserted;
}

// Without a turn the part stays, complete and locked by nobody, for the next process to remove.
DiskCache::Kept DiskCache::Publish(const CacheDirectory::Part& part, std::string_view stem) {
  std::optional<LedgerTurn> turn = Enter(kEndPatience);
  if (!turn) return Kept::kBusy;
  const std::string path = directory_.EntryPath(stem);
  CachedFile replaced;
  const bool replaces = FindCachedFile(path, &replaced);
  if (rename(part.path.c_str(), path.c_str()) != 0) throw SystemError("renaming it", errno);
  if (replaces) turn->Subtract(replaced.footprint);
  return Kept::kInserted;
}

void DiskCache::Discard(const CacheDirectory::Part& part) {
  try {
    RemoveFile(part.path, part.file.get());
  } catch (const Error&) {
    // What is told is why it is discarded. The next process removes it.
  }
}

void DiskCache::Distrust(const CacheKey& key) {
  if (!open_) return;
  const std::string stem = CacheStem(key);
  const std::string path = directory_.EntryPath(stem);
  CachedFile kept;
  if (!FindCachedFile(path, &kept)) return;
  RemoveEntry(path);
  if (key.length == key.size) return;
  const auto others = directory_.EntriesOf(stem.substr(0, kObjectStemLength));
  for (const std::string& other : others) RemoveEntry(other);
}

void DiskCache::RemoveEntry(const std::string& path) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.ok()) RemoveFile(path, file.get());
}

// Another process may have put a better one in its place: that is left alone.
void DiskCache::RemoveFile(const std::string& path, int only_if_same_as) {
  std::optional<LedgerTurn> turn = Enter(kEndPatience);
  CachedFile file;
  if (!turn || !IsAt(only_if_same_as, path) || !FindCachedFile(path, &file)) return;
  if (unlink(path.c_str()) != 0) throw SystemError("removing " + path, errno);
  turn->Subtract(file.footprint);
}

}  // namespace smtf
