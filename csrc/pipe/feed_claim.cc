#include "pipe/feed_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "file_descriptor.h"
#include "pipe/epoch_readers.h"
#include "pipe/random_name.h"
#include "pipe/reader_turn.h"
#include "pipe/small_file.h"

namespace smtf {
namespace {

namespace fs = std::filesystem;

// A reader that asks whether the feeder lives holds the lock for microseconds; a feeder, for good.
constexpr int kLockTries = 50;
constexpr std::chrono::milliseconds kLockNap{10};

bool SameFile(int fd, const std::string& path) {
  struct stat held{}, named{};
  return fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

// A descriptor that holds the lock on the file that is at `path`, or -1 when another has it.
int TryLock(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw SystemError("announcing the prefetcher in " + path, errno);
  const int lock_error = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  // The holder before us removes the file as it goes: then this is the lock of nobody.
  if (lock_error == 0 && SameFile(fd, path)) return fd;
  close(fd);
  if (lock_error != 0 && lock_error != EWOULDBLOCK) {
    throw SystemError("locking " + path + " (the directory must support flock)", lock_error);
  }
  return -1;
}

bool IsDigits(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// Whether `name` is "<prefix><digits><suffix>" or, for a suffix, the temporary file beside it.
bool IsEpochFile(const std::string& name, const std::string& prefix, const std::string& suffix) {
  if (name.compare(0, prefix.size(), prefix) != 0) return false;
  const std::string rest = name.substr(prefix.size());
  if (suffix.empty()) return IsDigits(rest);
  const size_t end = rest.find(suffix);
  return end != std::string::npos && IsDigits(rest.substr(0, end));
}

}  // namespace

FeedClaim::FeedClaim(std::string pipe_dir, std::string channel)
    : pipe_dir_(std::move(pipe_dir)), channel_(std::move(channel)) {
  const std::string path = FeederPath(pipe_dir_, channel_);
  for (int tries = 0; (lock_fd_ = TryLock(path)) < 0; ++tries) {
    if (tries == kLockTries) {
      const std::optional<Feeder> feeder = ReadFeeder(pipe_dir_, channel_);
      throw Error(ErrorKind::kFailedPrecondition,
                  "channel " + channel_ + " in " + pipe_dir_ + " is fed by process " +
                      std::to_string(feeder ? feeder->pid : 0) +
                      " already; stop that one or use another pipe directory");
    }
    std::this_thread::sleep_for(kLockNap);
  }
  try {
    // At once: a reader takes what is in the file for the words of who holds the lock.
    if (ftruncate(lock_fd_, 0) != 0) throw SystemError("emptying " + path, errno);
    RemoveLeftovers();
    unlink(ReaderTurn::Path(pipe_dir_, channel_).c_str());
    MakeTurn();
    const nlohmann::json text = {{"session", RandomName()}, {"pid", getpid()}};
    const std::string content = text.dump() + "\n";
    if (pwrite(lock_fd_, content.data(), content.size(), 0) != ssize_t(content.size())) {
      throw SystemError("writing " + path, errno);
    }
  } catch (...) {
    close(lock_fd_);
    throw;
  }
}

FeedClaim::~FeedClaim() {
  for (const auto& path : EpochFiles("", channel_ + "_")) unlink(path.c_str());
  for (const auto& path : EpochFiles(".objects.jsonl", "." + channel_ + "_")) unlink(path.c_str());
  for (const auto& path : EpochReaderPaths(pipe_dir_, channel_)) unlink(path.c_str());
  unlink(ResumeRequestPath(pipe_dir_, channel_).c_str());
  unlink(ReaderTurn::Path(pipe_dir_, channel_).c_str());
  unlink(FeederPath(pipe_dir_, channel_).c_str());
  close(lock_fd_);
}

void FeedClaim::MakeTurn() const {
  const std::string path = ReaderTurn::Path(pipe_dir_, channel_);
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw SystemError("making " + path, errno);
}

// What lies in /tmp untouched for days is removed on many machines.
void FeedClaim::KeepTurn() const {
  const std::string path = ReaderTurn::Path(pipe_dir_, channel_);
  if (utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0 && errno == ENOENT) MakeTurn();
}

std::string FeedClaim::BeginEpoch(uint64_t epoch) {
  KeepTurn();
  WriteOutcome(pipe_dir_, channel_, epoch, Outcome{});
  if (epoch >= kOutcomesKept) {
    unlink(OutcomePath(pipe_dir_, channel_, epoch - kOutcomesKept).c_str());
  }
  if (epoch >= kLogsKept) {
    unlink(ObjectLogPath(pipe_dir_, channel_, epoch - kLogsKept).c_str());
  }
  const std::string path = FifoPath(pipe_dir_, channel_, epoch);
  if (mkfifo(path.c_str(), 0600) != 0) {
    if (errno != EEXIST) throw SystemError("making the named pipe " + path, errno);
    throw Error(ErrorKind::kInvalidArgument,
                path + " is in the way of the channel's named pipe; remove it");
  }
  return path;
}

std::optional<ResumeRequest> FeedClaim::TakeRequest(uint64_t epoch) {
  return TakeResumeRequest(pipe_dir_, channel_, epoch);
}

std::unique_ptr<ObjectLogWriter> FeedClaim::LogObjects(uint64_t epoch, const ObjectLogHead& head) {
  return std::make_unique<ObjectLogWriter>(ObjectLogPath(pipe_dir_, channel_, epoch), head);
}

void FeedClaim::RecordOutcome(uint64_t epoch, const Outcome& outcome) {
  WriteOutcome(pipe_dir_, channel_, epoch, outcome);
}

void FeedClaim::RemoveFifo(uint64_t epoch) { unlink(FifoPath(pipe_dir_, channel_, epoch).c_str()); }

// Named pipes only: a regular file of that name is somebody's data.
std::vector<std::string> FeedClaim::EpochFiles(const std::string& suffix,
                                               const std::string& prefix) const {
  std::vector<std::string> found;
  std::error_code ignored;
  // Not a range-for, whose increment would throw, also where this is called by the destructor.
  for (fs::directory_iterator at(pipe_dir_, ignored), end; at != end; at.increment(ignored)) {
    if (!IsEpochFile(at->path().filename().string(), prefix, suffix)) continue;
    if (suffix.empty() && !at->is_fifo(ignored)) continue;
    found.push_back(at->path().string());
  }
  return found;
}

void FeedClaim::RemoveLeftovers() {
  for (const auto& path : EpochFiles("", channel_ + "_")) unlink(path.c_str());
  for (const char* suffix : {".outcome.json", ".objects.jsonl"}) {
    for (const auto& path : EpochFiles(suffix, "." + channel_ + "_")) unlink(path.c_str());
  }
  for (const auto& path : EpochReaderPaths(pipe_dir_, channel_)) unlink(path.c_str());
  unlink(ResumeRequestPath(pipe_dir_, channel_).c_str());
}

}  // namespace smtf
