// The reading end of a named pipe, with waits that end.
#ifndef SMTF_PIPE_FIFO_READER_H_
#define SMTF_PIPE_FIFO_READER_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "framing/byte_source.h"
#include "pipe/wakeup.h"

namespace smtf {

struct FifoReaderOptions {
  // How long a read may wait without a byte, in all; zero is for ever.
  std::chrono::milliseconds stall_timeout{0};
  // Called about once a second while a read waits, with how long it has waited. May throw to end
  // the wait.
  std::function<void(std::chrono::milliseconds waited)> on_wait;
  // Called while a read waits, about once a second and when a signal interrupts it. May throw too.
  std::function<void()> on_interrupt;
  // Where the milliseconds that reads wait are added up; may be null. Outlives the reader.
  std::atomic<int64_t>* stalled_ms = nullptr;
};

// Reads an existing FIFO, or a regular file in its place, to its end. The end of a FIFO is when a
// writer has been there and the last one has closed; nothing tells whether it was done.
//
// Used by one thread; `cancel` may be signalled by any and ends a wait with an Error of kind
// kCancelled. A stall is kDeadlineExceeded.
class FifoReader : public ByteSource {
 public:
  // `cancel` must outlive the reader.
  FifoReader(std::string path, FifoReaderOptions options, const Wakeup* cancel);
  ~FifoReader() override;
  FifoReader(const FifoReader&) = delete;
  FifoReader& operator=(const FifoReader&) = delete;

  // Claims the FIFO until this is destroyed. False while another FifoReader has it, of this process
  // or another: two would each get a part of the bytes.
  bool Lock();
  // Others may claim it; a read finds the end from now on. Idempotent.
  void Close();

  size_t Read(char* dst, size_t max) override;
  size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) override;
  // From page to page in the kernel: the bytes are copied once, and never into this process.
  size_t MoveTo(PartialFile* file, uint64_t max) override;
  std::string Describe() const override { return path_; }

  uint64_t bytes_read() const { return bytes_read_; }

 private:
  template <typename SystemCall>
  size_t Take(SystemCall system_call);
  ssize_t Splice(PartialFile* file, size_t max);
  bool WaitForBytes(std::chrono::steady_clock::time_point since);
  bool PollForBytes(std::chrono::steady_clock::time_point since);

  std::string path_;
  FifoReaderOptions options_;
  const Wakeup* cancel_;
  int fd_ = -1;
  bool is_fifo_ = false;
  bool ended_ = false;
  bool can_splice_ = true;
  uint64_t bytes_read_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PIPE_FIFO_READER_H_
