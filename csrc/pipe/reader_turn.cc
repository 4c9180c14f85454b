#include "pipe/reader_turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "errors.h"
#include "pipe/feed_status.h"

namespace smtf {

std::unique_ptr<ReaderTurn> ReaderTurn::Take(const std::string& pipe_dir,
                                             const std::string& channel, uint64_t epoch) {
  const std::string path = OutcomePath(pipe_dir, channel, epoch);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return nullptr;
  if (fd < 0) throw SystemError("opening " + path, errno);
  std::unique_ptr<ReaderTurn> turn(new ReaderTurn(fd));
  // A file system without locks is no reason not to read.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return nullptr;
  const std::optional<Outcome> outcome = ReadOutcome(pipe_dir, channel, epoch);
  const bool streaming = outcome && outcome->state == Outcome::State::kStreaming;
  return streaming ? std::move(turn) : nullptr;
}

ReaderTurn::~ReaderTurn() { close(fd_); }

}  // namespace smtf
