// A reader's turn to say where a pipe shall begin, and to open it.
#ifndef SMTF_PIPE_READER_TURN_H_
#define SMTF_PIPE_READER_TURN_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "file_descriptor.h"

namespace smtf {

// A lock (flock) on <pipe_dir>/.<channel>.turn, which our prefetcher makes. Who has it may write a
// request to resume (resume_request.h) and open the pipe, and keeps it until the first byte has
// shown where that began and that is noted down (epoch_readers.h): so no request is replaced before
// the prefetcher has taken it, nobody gets what another asked for, and nobody chooses an epoch
// before the one who chose before has said which it was. It cannot be the pipe's own lock, because
// opening the pipe is what the prefetcher waits for before it looks for a request, and that may
// have ended before its reader has noted anything. Each prefetcher makes the file anew, because a
// child of an earlier one's reader may have it locked still.
class ReaderTurn {
 public:
  static std::string Path(const std::string& pipe_dir, const std::string& channel);

  // Null while another reader of the channel has it, of this process or another, and where this
  // epoch is not announced (feed_status.h) or is over.
  static std::unique_ptr<ReaderTurn> Take(const std::string& pipe_dir, const std::string& channel,
                                          uint64_t epoch);
  ~ReaderTurn();
  ReaderTurn(const ReaderTurn&) = delete;
  ReaderTurn& operator=(const ReaderTurn&) = delete;

 private:
  explicit ReaderTurn(FileDescriptor file);

  const FileDescriptor file_;
  const pid_t process_;
};

}  // namespace smtf

#endif  // SMTF_PIPE_READER_TURN_H_
