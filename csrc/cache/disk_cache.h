// Ranges of objects on a disk, bounded, shared by processes.
#ifndef SMTF_CACHE_DISK_CACHE_H_
#define SMTF_CACHE_DISK_CACHE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/cache_directory.h"
#include "cache/cache_key.h"
#include "cache/cache_ledger.h"
#include "cache/reuse_horizon.h"
#include "checksum/object_checksum.h"

namespace smtf {

// A directory with a file per entry. Thread-safe; any number of processes may use one directory.
//
// The bound. All files of the directory together, counted in blocks of 4096 bytes, never take more
// than `bound`, in whatever processes they are written. Room is taken before an entry is written:
// under the ledger's lock its file is made with its full length. Files come and go only under that
// lock, and payloads are read and written without it. Processes should agree on the bound: each
// holds its own when it inserts, and one that opens the cache with a lower one shrinks it.
//
// What is kept. Epochs ask for the same ranges over and over, in the same order or another one each
// time. A cache that is smaller than that must not let the newest push out the oldest: LRU would
// throw out each range just before it is asked for and never hit, and random replacement hits 20 %
// where half of the data would fit. Best is to keep what is there: that hits bound / data, without
// writing anything after the first epoch. So a full cache takes nothing in, unless there are
// entries that went unused for a whole epoch of this reader (ReuseHorizon), the longest unused
// first. What another, slower reader uses may be among them, which is right: it hits less often.
// The entries of an earlier training job go so from its successor's second epoch on, and those of
// the same data, which the successor can use, stay.
//
// Crashes. An entry appears under its name when it is complete. A part file is locked with flock
// while it is written; one that is not is removed when a process opens the cache. After a power
// failure an entry may be damaged, because nothing is synced: its CRCs tell.
//
// Locks. The ledger's, across processes, is waited for only for a limited time: whoever does not
// get it goes without caching. mutex_ guards the list of stale entries, is taken under the ledger's
// and held for memory accesses only. ReuseHorizon's own lock is a leaf.
class DiskCache {
 public:
  // Does not touch the disk. The directory may be missing.
  DiskCache(std::string directory, uint64_t bound);

  // Makes the directory, removes what dead processes left and counts the rest: half a second per
  // 100,000 entries. Before it has succeeded nothing is found, and Insert tries it again. Throws an
  // Error where the directory cannot be used.
  void Open();

  enum class Found {
    kHit,      // key.length bytes are in dst, verified
    kMiss,     // not there, or of another version of the object, and then removed
    kDamaged,  // does not match its CRC, or cannot be read: removed
    kStopped,  // `stop` was seen
  };
  // Unless it is a hit, what is in dst is undefined. Throws an Error where the disk refuses.
  Found Read(const CacheKey& key, char* dst, std::optional<AnnouncedChecksum>* checksum,
             const std::atomic<bool>& stop);

  enum class Kept {
    kInserted,
    kPresent,  // it is there already, whoever put it
    kFull,     // and everything in it is in use, or the entry is larger than the bound
    kBusy,     // the ledger was not to be had
    kStopped,  // `stop` was seen
  };
  // payload.size() is key.length. Throws an Error where the disk refuses; nothing is left of it.
  Kept Insert(const CacheKey& key, std::string_view payload,
              const std::optional<AnnouncedChecksum>& checksum, const std::atomic<bool>& stop);

  // For a range that is asked for again. If it is kept, somebody found what it gave to be wrong: it
  // is removed with all else of its object, since a checksum of an object does not tell which of
  // its ranges is wrong. An Insert under way is not kept from ending.
  void Distrust(const CacheKey& key);

  uint64_t evicted_bytes() const { return evicted_bytes_; }
  const std::string& directory() const { return directory_.path(); }

 private:
  void OpenWithin(std::chrono::milliseconds patience);
  std::optional<LedgerTurn> Enter(std::chrono::milliseconds patience);
  void Count(LedgerTurn* turn);
  void Shrink(LedgerTurn* turn);
  bool MakeRoom(LedgerTurn* turn, uint64_t footprint);
  void Evict(LedgerTurn* turn, const CachedFile& entry);
  bool FindStale();
  std::optional<CachedFile> TakeStale();
  Kept Reserve(std::string_view stem, uint64_t bytes, CacheDirectory::Part* part);
  Kept Publish(const CacheDirectory::Part& part, std::string_view stem);
  void Discard(const CacheDirectory::Part& part);
  void RemoveEntry(const std::string& path);
  void RemoveFile(const std::string& path, int only_if_same_as);

  const CacheDirectory directory_;
  const CacheLedger ledger_;
  const uint64_t bound_;
  ReuseHorizon horizon_;
  std::atomic<bool> open_{false};
  std::atomic<uint64_t> evicted_bytes_{0};

  std::mutex mutex_;
  std::vector<CachedFile> stale_;               // the longest unused last
  int64_t stale_since_ = ReuseHorizon::kNever;  // the horizon that stale_ was listed for
};

}  // namespace smtf

#endif  // SMTF_CACHE_DISK_CACHE_H_
