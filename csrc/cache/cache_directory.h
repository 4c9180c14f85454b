// The files of a cache directory, by name.
#ifndef SMTF_CACHE_CACHE_DIRECTORY_H_
#define SMTF_CACHE_CACHE_DIRECTORY_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "file_descriptor.h"

namespace smtf {

// What a file of this length takes of the bound: whole blocks, as on the disk. Otherwise 10,000
// files of a byte would take 10 kB of the bound and 40 MB of the disk.
uint64_t CacheFootprint(uint64_t file_bytes);

// An entry that is complete.
struct CachedFile {
  std::string path;
  uint64_t footprint = 0;
  int64_t used_at = 0;  // nanoseconds of the system's clock
};

// "<stem>.entry" is an entry, "<stem>.XXXXXX.part" one that is being written, "ledger" the ledger.
// Other files are left alone and not counted. Everything throws an Error where the system refuses.
class CacheDirectory {
 public:
  explicit CacheDirectory(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string LedgerPath() const { return path_ + "/ledger"; }
  std::string EntryPath(std::string_view stem) const;

  // Makes it if it is missing, with the directories above; its own mode is 0700. Refuses one that
  // other users may write to: they could exchange the training data.
  void Make() const;

  // A new file, locked with flock until `file` is closed, and of its whole length already, so that
  // it counts. Mode 0600.
  struct Part {
    std::string path;
    FileDescriptor file;
  };
  Part MakePart(std::string_view stem, uint64_t bytes) const;

  // Removes the parts whose writers are dead and returns the footprint of all other files. Only in
  // a turn with the ledger, in which parts are made and locked.
  uint64_t Count() const;

  // The paths of the entries whose stems begin so.
  std::vector<std::string> EntriesOf(std::string_view stem_prefix) const;

  // The entries that were last used before `horizon`, the longest unused last.
  std::vector<CachedFile> UnusedSince(int64_t horizon) const;

 private:
  void ForEach(const std::function<void(const std::string& path, bool is_part)>& visit) const;

  const std::string path_;
};

// Now, on the clock of used_at.
int64_t CacheClock();
// Notes that the file is used now. Not an error where that is refused.
void MarkUsed(int fd);
// The entry that is at `path`; false where there is none.
bool FindCachedFile(const std::string& path, CachedFile* found);

}  // namespace smtf

#endif  // SMTF_CACHE_CACHE_DIRECTORY_H_
