// The writing end of a named pipe, without copying where the kernel allows it.
#ifndef SMTF_PIPE_FIFO_WRITER_H_
#define SMTF_PIPE_FIFO_WRITER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "pipe/wakeup.h"

namespace smtf {

// Feeds one FIFO to one reader after the other until a reader has taken the whole epoch or closed
// after reading some of it. Used by one thread; `stop` may be signalled by any, and ends every wait
// with an Error of kind kCancelled.
//
// Large pieces go in by vmsplice: the pipe then refers to the caller's memory, so the writer holds
// the piece's owner until the reader has drained its bytes (known from FIONREAD). Small pieces, and
// everything where vmsplice is not allowed, are copied with write().
class FifoWriter {
 public:
  // `path` must be a FIFO. `stop` must outlive the writer. SIGPIPE is blocked in the calling
  // thread while it writes.
  FifoWriter(std::string path, const Wakeup* stop);
  ~FifoWriter();
  FifoWriter(const FifoWriter&) = delete;
  FifoWriter& operator=(const FifoWriter&) = delete;

  // Waits until a reader has opened the FIFO, opens it too and raises the pipe to the largest size
  // that this user may have.
  void Open();

  // Writes all of `data`. The bytes must not change while `owner` is held. False when a reader
  // that had read some of the epoch closed before the end: the epoch is over and nothing more can
  // be written. A reader that closes without having read a byte is forgotten and the next is
  // waited for.
  bool Write(std::string_view data, std::shared_ptr<const void> owner);

  // Waits until the reader has taken every byte. False as for Write.
  bool Drain();

  // Whether a reader that had read some of the epoch has closed. Does not wait.
  bool ReaderLeft();

  // Closes the FIFO (the reader sees the end) and lets go of every owner. Idempotent.
  void Close();

  // Bytes given to the pipe, and how many of those a reader has taken.
  uint64_t bytes_written() const { return bytes_written_; }
  uint64_t bytes_drained() const { return bytes_drained_; }
  // Seconds spent waiting for the reader to make room.
  double seconds_blocked() const { return seconds_blocked_; }

 private:
  struct Lent {
    uint64_t end;  // the piece's last byte is before this offset of the stream
    std::shared_ptr<const void> owner;
  };

  size_t PutSome(std::string_view data, bool splice);
  bool WaitForRoom();
  bool HasReader() const;
  bool ReaderIsGone();
  void CountDrained();
  void Sleep(int milliseconds);

  std::string path_;
  const Wakeup* stop_;
  int fd_ = -1;
  bool can_splice_ = true;
  uint64_t bytes_written_ = 0;
  uint64_t bytes_drained_ = 0;
  double seconds_blocked_ = 0;
  std::deque<Lent> lent_;
};

}  // namespace smtf

#endif  // SMTF_PIPE_FIFO_WRITER_H_
