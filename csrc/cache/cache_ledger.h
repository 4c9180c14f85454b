// How many bytes a cache directory holds, agreed on by all processes that share it.
#ifndef SMTF_CACHE_CACHE_LEDGER_H_
#define SMTF_CACHE_CACHE_LEDGER_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "file_descriptor.h"

namespace smtf {

// One turn with the ledger: nobody else has one meanwhile, in any process or thread. Keep it short:
// others give up.
//
// In the file the ledger is marked as unsettled for as long as a turn lasts. A process that dies in
// it leaves the mark, and the next one counts again. So the number is never too small, whatever
// happened between the files and the number.
class LedgerTurn {
 public:
  LedgerTurn(LedgerTurn&&) = default;
  // Writes the number, unless it is unknown, and lets others in.
  ~LedgerTurn();

  // Nothing where the file is new, damaged or was left unsettled: count and call Set.
  const std::optional<uint64_t>& bytes() const { return bytes_; }
  void Set(uint64_t bytes) { bytes_ = bytes; }
  // Once it is known. Not below 0, should somebody have changed files by hand.
  void Add(uint64_t bytes) { bytes_ = *bytes_ + bytes; }
  void Subtract(uint64_t bytes) { bytes_ = *bytes_ - std::min(*bytes_, bytes); }

 private:
  friend class CacheLedger;
  explicit LedgerTurn(FileDescriptor locked);

  FileDescriptor file_;  // holds the lock
  std::optional<uint64_t> bytes_;
};

// Thread-safe, and safe to use on both sides of a fork: it keeps no descriptor.
class CacheLedger {
 public:
  // The file need not exist; its directory must when Take is called.
  explicit CacheLedger(std::string path) : path_(std::move(path)) {}

  // What the file counts for in the directory that it is in.
  static constexpr uint64_t kBytes = 4096;

  const std::string& path() const { return path_; }

  // Waits for a turn, `patience` at most. Nobody waits for ever, not even for a process that was
  // stopped in its turn. Throws an Error where the file cannot be made or locked.
  std::optional<LedgerTurn> Take(std::chrono::milliseconds patience) const;

 private:
  const std::string path_;
};

}  // namespace smtf

#endif  // SMTF_CACHE_CACHE_LEDGER_H_
