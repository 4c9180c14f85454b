#include "pipe/fifo_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "errors.h"
#include "pipe/pipe_size.h"

namespace smtf {
namespace {

// Each spliced page takes a slot of the pipe (1 MiB has 256), however few bytes it holds, so small
// pieces are copied: the kernel packs those together.
constexpr size_t kSpliceMinBytes = 64 * 1024;
// No call tells a writer that a reader has come or that the pipe has been emptied, so both are
// asked for in steps that grow from the first to the second.
constexpr int kShortestNapMs = 1;
constexpr int kLongestNapMs = 5;

using Clock = std::chrono::steady_clock;

void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

bool SpliceIsRefused(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EPERM ||
         error_number == EFAULT || error_number == ENOMEM;
}

}  // namespace

FifoWriter::FifoWriter(std::string path, const Wakeup* stop)
    : path_(std::move(path)), stop_(stop) {}

FifoWriter::~FifoWriter() { Close(); }

void FifoWriter::Open() {
  BlockSigpipe();
  for (int nap = kShortestNapMs;; nap = std::min(2 * nap, kLongestNapMs)) {
    fd_ = open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd_ >= 0) break;
    // ENXIO: nobody has the FIFO open for reading yet.
    if (errno != ENXIO && errno != EINTR)
      throw SystemError("opening " + path_ + " to write", errno);
    Sleep(nap);
  }
  struct stat status{};
  if (fstat(fd_, &status) != 0 || !S_ISFIFO(status.st_mode)) {
    Close();
    throw Error(ErrorKind::kInvalidArgument, path_ + " is not a named pipe; remove it");
  }
  RaisePipeSize(fd_);
}

bool FifoWriter::Write(std::string_view data, std::shared_ptr<const void> owner) {
  const bool splice = can_splice_ && data.size() >= kSpliceMinBytes;
  if (splice) lent_.push_back({bytes_written_ + data.size(), std::move(owner)});
  while (!data.empty()) {
    if (stop_->signalled()) throw Error(ErrorKind::kCancelled, "stopped writing to " + path_);
    const size_t taken = PutSome(data, splice && can_splice_);
    data.remove_prefix(taken);
    if (taken == 0 && !WaitForRoom()) return false;
  }
  CountDrained();
  return true;
}

// Returns 0 when the pipe is full or has no reader.
size_t FifoWriter::PutSome(std::string_view data, bool splice) {
  ssize_t taken;
  if (splice) {
    iovec piece{const_cast<char*>(data.data()), data.size()};
    taken = vmsplice(fd_, &piece, 1, SPLICE_F_NONBLOCK);
    if (taken < 0 && SpliceIsRefused(errno)) {
      can_splice_ = false;
      return PutSome(data, false);
    }
  } else {
    taken = write(fd_, data.data(), data.size());
  }
  if (taken < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == EPIPE) return 0;
    throw SystemError("writing to " + path_, errno);
  }
  bytes_written_ += static_cast<uint64_t>(taken);
  return static_cast<size_t>(taken);
}

// False when the epoch is over because its reader has gone.
bool FifoWriter::WaitForRoom() {
  const auto since = Clock::now();
  pollfd polled[2] = {{fd_, POLLOUT, 0}, {stop_->fd(), POLLIN, 0}};
  if (poll(polled, 2, -1) < 0 && errno != EINTR) throw SystemError("waiting on " + path_, errno);
  CountDrained();
  const bool over = (polled[0].revents & POLLERR) != 0 && ReaderIsGone();
  seconds_blocked_ += std::chrono::duration<double>(Clock::now() - since).count();
  return !over;
}

// Whether the epoch is over because its reader has closed. Data that no reader has touched stays in
// the pipe for the next one, who is waited for here: the epoch is only over when some was read.
bool FifoWriter::ReaderIsGone() {
  for (int nap = kShortestNapMs;; nap = std::min(2 * nap, kLongestNapMs)) {
    if (HasReader()) return false;
    CountDrained();
    // Asked again, because it may be the next reader that took those bytes since.
    if (bytes_drained_ > 0) return !HasReader();
    Sleep(nap);
  }
}

bool FifoWriter::HasReader() const {
  pollfd polled{fd_, 0, 0};
  poll(&polled, 1, 0);
  return (polled.revents & POLLERR) == 0;
}

bool FifoWriter::ReaderLeft() {
  if (HasReader()) return false;
  CountDrained();
  // Asked again, because it may be the next reader that took those bytes since.
  return bytes_drained_ > 0 && !HasReader();
}

bool FifoWriter::Drain() {
  const auto since = Clock::now();
  bool over = false;
  for (int nap = kShortestNapMs; !over; nap = std::min(2 * nap, kLongestNapMs)) {
    CountDrained();
    if (bytes_drained_ == bytes_written_) break;
    over = ReaderIsGone();
    if (!over) Sleep(nap);
  }
  seconds_blocked_ += std::chrono::duration<double>(Clock::now() - since).count();
  return bytes_drained_ == bytes_written_;
}

void FifoWriter::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  lent_.clear();
}

void FifoWriter::CountDrained() {
  int unread = 0;
  if (ioctl(fd_, FIONREAD, &unread) != 0)
    throw SystemError("asking what is left in " + path_, errno);
  bytes_drained_ = bytes_written_ - static_cast<uint64_t>(unread);
  while (!lent_.empty() && lent_.front().end <= bytes_drained_) lent_.pop_front();
}

void FifoWriter::Sleep(int milliseconds) {
  pollfd polled{stop_->fd(), POLLIN, 0};
  poll(&polled, 1, milliseconds);
  if (stop_->signalled()) throw Error(ErrorKind::kCancelled, "stopped waiting on " + path_);
}

}  // namespace smtf
