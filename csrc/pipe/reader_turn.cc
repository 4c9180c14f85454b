#include "pipe/reader_turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "errors.h"
#include "pipe/feed_status.h"

namespace smtf {

std::string ReaderTurn::Path(const std::string& pipe_dir, const std::string& channel) {
  return pipe_dir + "/." + channel + ".turn";
}

std::unique_ptr<ReaderTurn> ReaderTurn::Take(const std::string& pipe_dir,
                                             const std::string& channel, uint64_t epoch) {
  const std::string path = Path(pipe_dir, channel);
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return nullptr;
  if (file.get() < 0) throw SystemError("opening " + path, errno);
  // A file system without locks is no reason not to read.
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return nullptr;
  std::unique_ptr<ReaderTurn> turn(new ReaderTurn(std::move(file)));
  const std::optional<Outcome> outcome = ReadOutcome(pipe_dir, channel, epoch);
  const bool streaming = outcome && outcome->state == Outcome::State::kStreaming;
  return streaming ? std::move(turn) : nullptr;
}

ReaderTurn::ReaderTurn(FileDescriptor file) : file_(std::move(file)), process_(getpid()) {}

// Closing it would not do where a child that was forked meanwhile has it open too.
ReaderTurn::~ReaderTurn() {
  if (getpid() == process_) flock(file_.get(), LOCK_UN);
}

}  // namespace smtf
