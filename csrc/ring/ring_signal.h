// How one side of a ring wakes the other.
#ifndef SMTF_RING_RING_SIGNAL_H_
#define SMTF_RING_RING_SIGNAL_H_

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "errors.h"
#include "file_descriptor.h"

namespace smtf {

// An eventfd, which two processes may have. A wakeup that nobody waits for is kept for the next
// wait, so waits may end for nothing.
class RingSignal {
 public:
  RingSignal() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_.ok()) throw SystemError("creating an eventfd", errno);
  }
  explicit RingSignal(FileDescriptor fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  void Send() const noexcept {
    const uint64_t one = 1;
    while (write(fd_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
  }
  // Once poll has said that it is readable: whether this blocks is a matter of the open file, which
  // the other process has too.
  void Clear() const noexcept {
    uint64_t count;
    while (read(fd_.get(), &count, sizeof(count)) < 0 && errno == EINTR) {
    }
  }

 private:
  FileDescriptor fd_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_SIGNAL_H_
