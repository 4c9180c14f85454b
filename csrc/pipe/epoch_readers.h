// Which epochs of a channel the processes that read it have had, so that none is given to two of
// them when one goes back to a checkpoint.
//
// <pipe_dir>/.<channel>.reader-<pid>-<start>-<namespace>.json, of mode 0600 and named after the
// process (process_name.h), which replaces it in one step when the first byte of an epoch has come:
//   {"session": "...", "epochs": [[0, 4], [6, 6]]}
// epochs: of the channel's data, the first and the last of each range. Only what was written under
// the session of the prefetcher that is there (feed_status.h) counts, and only while the process
// lives: what one had that has died since, its checkpoint knows.
#ifndef SMTF_PIPE_EPOCH_READERS_H_
#define SMTF_PIPE_EPOCH_READERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "pipe/process_name.h"

namespace smtf {

// Numbers in ranges; of many ranges those with the highest numbers.
class EpochRanges {
 public:
  static constexpr size_t kMost = 256;

  void Add(uint64_t first, uint64_t last);
  // The first number from `epoch` on that is not in them.
  uint64_t FirstOutside(uint64_t epoch) const;
  // First and last.
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }

 private:
  std::map<uint64_t, uint64_t> ranges_;  // neither overlap nor touch
};

struct ChannelReader {
  ProcessName process;
  EpochRanges epochs;
};

// Notes down that this process has had an epoch. Thread-safe.
void NoteEpochRead(const std::string& pipe_dir, const std::string& channel,
                   const std::string& session, uint64_t epoch);
// Who lives and has had epochs under this session, this process included. Files of the dead are
// removed.
std::vector<ChannelReader> ReadEpochReaders(const std::string& pipe_dir, const std::string& channel,
                                            const std::string& session);
// All files of the channel's readers, whoever they are.
std::vector<std::string> EpochReaderPaths(const std::string& pipe_dir, const std::string& channel);

}  // namespace smtf

#endif  // SMTF_PIPE_EPOCH_READERS_H_
