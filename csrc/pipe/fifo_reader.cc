#include "pipe/fifo_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "errors.h"
#include "framing/partial_file.h"
#include "pipe/pipe_size.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kWaitStep{1000};
// The pipe is locked while it is spliced from, so its writer has to wait for a slow disk.
constexpr size_t kMostMoved = 1024 * 1024;

}  // namespace

FifoReader::FifoReader(std::string path, FifoReaderOptions options, const Wakeup* cancel)
    : path_(std::move(path)), options_(std::move(options)), cancel_(cancel) {
  fd_ = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd_ < 0) throw SystemError("opening " + path_, errno);
  struct stat status{};
  fstat(fd_, &status);
  is_fifo_ = S_ISFIFO(status.st_mode);
  if (is_fifo_) RaisePipeSize(fd_);
  if (S_ISDIR(status.st_mode)) {
    close(fd_);
    throw Error(ErrorKind::kInvalidArgument, path_ + " is a directory, not a named pipe");
  }
}

FifoReader::~FifoReader() { Close(); }

void FifoReader::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  ended_ = true;
}

bool FifoReader::Lock() {
  // A file system without locks is no reason not to read.
  return flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

size_t FifoReader::Read(char* dst, size_t max) { return ReadScatter(dst, max, nullptr, 0); }

size_t FifoReader::ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) {
  const iovec pieces[2] = {{dst, max}, {spill, spill_max}};
  return Take([&] { return readv(fd_, pieces, spill_max > 0 ? 2 : 1); });
}

size_t FifoReader::MoveTo(PartialFile* file, uint64_t max) {
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(max, kMostMoved));
  return Take([&] { return Splice(file, wanted); });
}

// As read() into the file, through memory where the file system or the source has no splice().
ssize_t FifoReader::Splice(PartialFile* file, size_t max) {
  if (can_splice_) {
    const ssize_t moved = splice(fd_, nullptr, file->fd(), nullptr, max, SPLICE_F_NONBLOCK);
    if (moved >= 0 || errno == EAGAIN || errno == EINTR) return moved;
    // All other errors can only be the file's; those bytes that it did not take are in the pipe.
    if (errno != EINVAL && errno != ENOSYS) file->Fail(errno);
    can_splice_ = false;
  }
  char buffer[64 * 1024];
  const ssize_t got = read(fd_, buffer, std::min(max, sizeof(buffer)));
  if (got > 0) file->Write({buffer, static_cast<size_t>(got)});
  return got;
}

// Calls it until there is something, or the end; it takes bytes as read() does.
template <typename SystemCall>
size_t FifoReader::Take(SystemCall system_call) {
  std::optional<Clock::time_point> since;
  while (!ended_) {
    if (cancel_->signalled()) throw Error(ErrorKind::kCancelled, "stopped reading " + path_);
    const ssize_t got = system_call();
    if (got > 0) {
      bytes_read_ += static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) throw SystemError("reading " + path_, errno);
    // Without a writer a read gives nothing, which is the end only if there has been one.
    if (got == 0 && (!is_fifo_ || bytes_read_ > 0)) ended_ = true;
    if (!since) since = Clock::now();
    if (!ended_ && !WaitForBytes(*since)) ended_ = true;
  }
  return 0;
}

bool FifoReader::WaitForBytes(Clock::time_point since) {
  const auto began = Clock::now();
  const bool more = PollForBytes(since);
  if (options_.stalled_ms != nullptr) {
    *options_.stalled_ms += std::chrono::duration_cast<milliseconds>(Clock::now() - began).count();
  }
  return more;
}

// False when a writer has come and gone without writing.
bool FifoReader::PollForBytes(Clock::time_point since) {
  while (true) {
    pollfd polled[2] = {{fd_, POLLIN, 0}, {cancel_->fd(), POLLIN, 0}};
    const milliseconds limit = options_.stall_timeout;
    const auto before = std::chrono::duration_cast<milliseconds>(Clock::now() - since);
    milliseconds step = kWaitStep;
    if (limit.count() > 0) step = std::clamp(limit - before, milliseconds{0}, step);
    const int ready = poll(polled, 2, static_cast<int>(step.count()));
    if (ready < 0 && errno != EINTR) throw SystemError("waiting for " + path_, errno);
    if (polled[1].revents != 0) throw Error(ErrorKind::kCancelled, "stopped reading " + path_);
    if (ready > 0 && (polled[0].revents & POLLIN) != 0) return true;
    if (ready > 0 && (polled[0].revents & POLLHUP) != 0) return false;
    const auto waited = std::chrono::duration_cast<milliseconds>(Clock::now() - since);
    if (limit.count() > 0 && waited >= limit) {
      throw Error(ErrorKind::kDeadlineExceeded,
                  "no byte came through " + path_ + " for " +
                      std::to_string(waited.count() / 1000) + " s, after " +
                      std::to_string(bytes_read_) +
                      " bytes; see what its writer is doing, or raise stall_timeout");
    }
    if (ready <= 0 && options_.on_interrupt) options_.on_interrupt();
    if (ready == 0 && options_.on_wait) options_.on_wait(waited);
  }
}

}  // namespace smtf
