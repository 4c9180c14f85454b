// A reader's turn to say where a pipe shall begin, and to open it.
#ifndef SMTF_PIPE_READER_TURN_H_
#define SMTF_PIPE_READER_TURN_H_

#include <cstdint>
#include <memory>
#include <string>

namespace smtf {

// A lock (flock) on the outcome of a pipe that our prefetcher has announced, feed_status.h. Who has
// it may write a request to resume (resume_request.h) and open the pipe, and keeps it until the
// first byte shows where that began: so no request is replaced before the prefetcher has taken it,
// and nobody gets what another asked for. It cannot be the pipe's own lock, because opening the
// pipe is what the prefetcher waits for before it looks for a request.
//
// The prefetcher replaces the file as the epoch ends, so that a lock on the old one keeps nobody
// from anything.
class ReaderTurn {
 public:
  // Null while another reader has it, of this process or another, and where the epoch is not
  // announced or is over.
  static std::unique_ptr<ReaderTurn> Take(const std::string& pipe_dir, const std::string& channel,
                                          uint64_t epoch);
  ~ReaderTurn();
  ReaderTurn(const ReaderTurn&) = delete;
  ReaderTurn& operator=(const ReaderTurn&) = delete;

 private:
  explicit ReaderTurn(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace smtf

#endif  // SMTF_PIPE_READER_TURN_H_
