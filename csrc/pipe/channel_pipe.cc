#include "pipe/channel_pipe.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "errors.h"
#include "pipe/flock_holder.h"
#include "pipe/random_name.h"
#include "pipe/resume_request.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds kShortestNap{1};
constexpr milliseconds kLongestNap{20};
constexpr milliseconds kFirstLog{5'000};
constexpr milliseconds kLogInterval{10'000};
// How many pipes in a row may have been opened by somebody else.
constexpr int kTries = 5;
// More names would not help whoever reads the message.
constexpr size_t kNamesListed = 12;

// The prefetchers that this process has seen alive. The death of one of those is an error at once;
// what an unknown one left behind may be from yesterday, and the next may be about to start.
class SessionsSeen {
 public:
  void Add(const std::string& session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    sessions_.insert(session);
  }
  bool Has(const std::string& session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !session.empty() && sessions_.count(session) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::string> sessions_;
};

SessionsSeen& Seen() {
  static SessionsSeen* seen = new SessionsSeen;  // outlives every thread
  return *seen;
}

// Where the next readers of channels begin, that nobody told. By pipe directory and channel.
class Beginnings {
 public:
  void Put(const std::string& key, StreamPosition position) {
    const std::lock_guard<std::mutex> lock(mutex_);
    positions_[key] = std::move(position);
  }
  std::optional<StreamPosition> Get(const std::string& key) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = positions_.find(key);
    return found == positions_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<StreamPosition> Take(const std::string& key) {
    std::optional<StreamPosition> position = Get(key);
    const std::lock_guard<std::mutex> lock(mutex_);
    positions_.erase(key);
    return position;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, StreamPosition> positions_;
};

Beginnings& Next() {
  static Beginnings* beginnings = new Beginnings;  // outlives every thread
  return *beginnings;
}

// Empty for SageMaker's agent, which does not announce itself.
std::string SessionOf(const std::optional<Feeder>& feeder) {
  return feeder ? feeder->session : std::string();
}

std::string Seconds(milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

// What a directory holds, for a message.
std::string ListDirectory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator at(path, error), end; at != end; at.increment(error)) {
    names.push_back(at->path().filename().string());
  }
  if (error) return path + " cannot be listed (" + error.message() + ")";
  if (names.empty()) return path + " is empty";
  std::sort(names.begin(), names.end());
  std::string text = path + " holds ";
  for (size_t i = 0; i < std::min(names.size(), kNamesListed); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kNamesListed) {
    text += " and " + std::to_string(names.size() - kNamesListed) + " more";
  }
  return text;
}

}  // namespace

ChannelPipe::ChannelPipe(ChannelPipeOptions options, const Wakeup* cancel)
    : options_(std::move(options)), cancel_(cancel) {}

size_t ChannelPipe::Read(char* dst, size_t max) { return ReadScatter(dst, max, nullptr, 0); }

size_t ChannelPipe::ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) {
  return Take([&] { return fifo_->ReadScatter(dst, max, spill, spill_max); });
}

size_t ChannelPipe::MoveTo(PartialFile* file, uint64_t max) {
  return Take([&] { return fifo_->MoveTo(file, max); });
}

template <typename Function>
size_t ChannelPipe::Take(Function function) {
  for (int tries = 1;; ++tries) {
    if (!fifo_) AwaitPipe();
    const size_t got = function();
    if (!used_) MarkUsed();
    if (!log_ && !OpenLog()) {
      if (tries == kTries) FailForeignRequest();
      DropPipe();
      continue;
    }
    if (got == 0 && !checked_) {
      CheckOutcome();
      checked_ = true;
    }
    return got;
  }
}

void ChannelPipe::Resume(StreamPosition position) {
  resume_ = std::move(position);
  request_ = RandomName();
}

void ChannelPipe::EndedIn(const StreamPosition& position) {
  StreamPosition next;
  next.epoch = position.epoch + 1;
  next.settings = position.settings;
  Next().Put(Key(), std::move(next));
}

bool ChannelPipe::Open() {
  if (!fifo_) AwaitPipe();
  return !session_.empty();
}

std::optional<StreamPosition> ChannelPipe::PositionAt(uint64_t offset) {
  if (!used_) return NextPosition();
  if (session_.empty()) return std::nullopt;
  if (!log_) return resume_;  // it failed before it came so far
  if (!log_->exists()) return std::nullopt;
  const StreamPosition position = log_->PositionAt(offset);
  // No object has begun: it may have failed to.
  return position.name.empty() && resume_ ? *resume_ : position;
}

std::string ChannelPipe::Describe() const {
  if (fifo_) return fifo_->Describe();
  return options_.pipe_dir + "/" + options_.channel + "_<epoch>";
}

void ChannelPipe::AwaitPipe() {
  if (!resume_) {
    if (std::optional<StreamPosition> position = Next().Take(Key())) Resume(*std::move(position));
  }
  const auto since = Clock::now();
  milliseconds next_log = kFirstLog;
  for (milliseconds nap = kShortestNap; !TryOpen(); nap = std::min(2 * nap, kLongestNap)) {
    const auto waited = duration_cast<milliseconds>(Clock::now() - since);
    if (waited >= options_.timeout) FailMissing(waited);
    if (waited >= next_log && options_.log) {
      next_log += kLogInterval;
      options_.log("waiting for the named pipe of channel " + options_.channel + " in " +
                   options_.pipe_dir + ": " + Seconds(waited));
    }
    pollfd polled{cancel_->fd(), POLLIN, 0};
    poll(&polled, 1, static_cast<int>(std::min(nap, options_.timeout - waited).count()));
    if (cancel_->signalled()) {
      throw Error(ErrorKind::kCancelled, "stopped waiting for channel " + options_.channel);
    }
    if (options_.on_interrupt) options_.on_interrupt();
  }
}

bool ChannelPipe::TryOpen() {
  const std::optional<Feeder> feeder = ReadFeeder(options_.pipe_dir, options_.channel);
  const bool gone = feeder && !feeder->alive;
  if (options_.started && (gone || !feeder)) FailFeederGone(feeder.value_or(Feeder()));
  if (feeder && !gone) {
    if (feeder->session.empty()) return false;  // it is about to say who it is
    Seen().Add(feeder->session);
  }
  session_ = SessionOf(feeder);
  if (gone && Seen().Has(session_)) FailFeederGone(*feeder);
  // A dead prefetcher's pipe is passed over: nobody will ever write to it.
  if (!gone && TakePipe(NextEpoch())) return true;
  // Without a pipe, an outcome says that the epoch is over, if it is of a prefetcher we know, which
  // may have been stopped since.
  if (!feeder) session_ = LoadEpochState(options_.state_dir, options_.channel).session;
  return Seen().Has(session_) && SkipEndedEpoch(NextEpoch()) && TryOpen();
}

// Opens the epoch's pipe, if it is there and nobody else reads it.
bool ChannelPipe::TakePipe(uint64_t epoch) {
  FifoReaderOptions reader_options;
  reader_options.stall_timeout = options_.stall_timeout;
  reader_options.stalled_ms = &stalled_ms_;
  reader_options.on_wait = [this](milliseconds waited) { CheckFeeder(waited); };
  reader_options.on_interrupt = options_.on_interrupt;
  std::unique_ptr<FifoReader> fifo;
  try {
    const std::string path = FifoPath(options_.pipe_dir, options_.channel, epoch);
    // Opening the pipe is what the prefetcher waits for, and then it has to be there.
    if (resume_ && !session_.empty()) {
      if (access(path.c_str(), F_OK) != 0) return false;
      RequestResume(epoch);
    }
    fifo = std::make_unique<FifoReader>(path, std::move(reader_options), cancel_);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return false;
    throw;
  }
  // Another iterator may be waiting for this epoch's first byte, and have noted down nothing yet.
  if (!fifo->Lock()) return false;
  // Before it was ours, another may have read it, or another prefetcher come.
  if (NextEpoch() != epoch ||
      SessionOf(ReadFeeder(options_.pipe_dir, options_.channel)) != session_) {
    return false;
  }
  epoch_ = epoch;
  fifo_ = std::move(fifo);
  return true;
}

// Loaded anew for each look, because a prefetcher may start, or another iterator move on,
// meanwhile.
uint64_t ChannelPipe::NextEpoch() {
  const EpochState state = LoadEpochState(options_.state_dir, options_.channel);
  former_session_ = state.session;
  return session_ == state.session ? state.next : 0;
}

// True when the epoch was used up by an iterator that could not note it down.
bool ChannelPipe::SkipEndedEpoch(uint64_t epoch) {
  const auto outcome = ReadOutcome(options_.pipe_dir, options_.channel, epoch);
  if (!outcome || outcome->state == Outcome::State::kStreaming) return false;
  epoch_ = epoch;
  MarkUsed();
  used_ = false;
  const bool newest = !ReadOutcome(options_.pipe_dir, options_.channel, epoch + 1);
  // An older error has met its reader already.
  if (outcome->state == Outcome::State::kError && newest) {
    throw Error(outcome->error_kind.value_or(ErrorKind::kInternal), outcome->error_message);
  }
  return true;
}

void ChannelPipe::RequestResume(uint64_t epoch) {
  WriteResumeRequest(options_.pipe_dir, options_.channel, {request_, epoch, *resume_});
}

// After the first read, when all that it says of that is there. False where the stream is not what
// this reader asked for: another, which may be dead, opened the pipe before it.
bool ChannelPipe::OpenLog() {
  if (session_.empty()) return true;
  auto log = std::make_unique<ObjectLogReader>(
      ObjectLogPath(options_.pipe_dir, options_.channel, *epoch_));
  // A stream of framed objects has none, nor has one whose prefetcher died before it was begun,
  // which its outcome tells.
  if (log->exists() && log->head().request != request_) return false;
  if (!log->exists() && !request_.empty()) CheckOutcome();
  if (!log->exists() && !request_.empty()) return false;
  log_ = std::move(log);
  return true;
}

// The next pipe is another chance: what was read of this one, nobody has seen.
void ChannelPipe::DropPipe() {
  fifo_.reset();
  epoch_.reset();
  used_ = checked_ = false;
}

void ChannelPipe::FailForeignRequest() const {
  throw Error(ErrorKind::kUnavailable,
              "reading " + fifo_->Describe() + ": " +
                  (request_.empty() ? "it begins where another reader wanted to go on"
                                    : "it does not begin at the position that was asked for") +
                  ", " + std::to_string(kTries) +
                  " times in a row; another process reads this channel, or the prefetcher is of "
                  "another version: read a channel by one at a time");
}

// Before the first read: the beginning of the epoch that would be next.
std::optional<StreamPosition> ChannelPipe::NextPosition() {
  if (resume_) return resume_;
  if (const auto told = Next().Get(Key())) return told;
  const std::string session = SessionOf(ReadFeeder(options_.pipe_dir, options_.channel));
  if (session.empty()) return std::nullopt;
  const EpochState state = LoadEpochState(options_.state_dir, options_.channel);
  StreamPosition position;
  position.epoch = session == state.session ? state.next : 0;
  if (position.epoch == 0) return position;
  const auto before =
      ObjectLogReader::Head(ObjectLogPath(options_.pipe_dir, options_.channel, position.epoch - 1));
  if (before) {
    position.epoch = before->epoch + 1;
    position.settings = before->settings;
  }
  return position;
}

void ChannelPipe::MarkUsed() {
  used_ = true;
  const EpochState state = LoadEpochState(options_.state_dir, options_.channel);
  // Another iterator has passed over it already, or has begun to count for the next prefetcher.
  if (state.session == session_ ? state.next > *epoch_ : state.session != former_session_) return;
  SaveEpochState(options_.state_dir, options_.channel, {*epoch_ + 1, session_});
}

void ChannelPipe::CheckOutcome() {
  if (session_.empty()) return;  // outcomes that lie here are of another writer's epochs
  const auto outcome = ReadOutcome(options_.pipe_dir, options_.channel, *epoch_);
  const auto feeder = ReadFeeder(options_.pipe_dir, options_.channel);
  if (!outcome || (feeder && feeder->session != session_)) {
    // Its outcomes went with its directories, or were removed by the next prefetcher.
    FailFeederGone(Feeder{session_, 0, false});
  }
  const std::string read =
      fifo_->Describe() + " ended after " + std::to_string(fifo_->bytes_read()) + " bytes";
  switch (outcome->state) {
    case Outcome::State::kError:
      throw Error(outcome->error_kind.value_or(ErrorKind::kInternal), outcome->error_message);
    case Outcome::State::kStreaming:
      throw Error(ErrorKind::kUnavailable,
                  read + " but its prefetcher (process " +
                      std::to_string(feeder ? feeder->pid : 0) +
                      ") did not finish the epoch: it died or was killed; see its log and start "
                      "it again");
    case Outcome::State::kAbandoned:
      throw Error(ErrorKind::kDataLoss, read +
                                            " and its prefetcher gave the epoch up: another "
                                            "reader of the same pipe has closed it early");
    case Outcome::State::kDone:
      if (outcome->bytes == fifo_->bytes_read()) return;
      throw Error(ErrorKind::kDataLoss, read + " and its prefetcher wrote " +
                                            std::to_string(outcome->bytes) +
                                            ": another process has read from the same pipe");
  }
}

void ChannelPipe::CheckFeeder(milliseconds waited) {
  const auto feeder = ReadFeeder(options_.pipe_dir, options_.channel);
  if (feeder && !feeder->alive) {
    CheckOutcome();  // it may have said why
    FailFeederGone(*feeder);
  }
  if (!session_.empty() && (!feeder || feeder->session != session_)) {
    CheckOutcome();  // it was stopped, and has said so, before it opened the pipe
    FailFeederGone(Feeder{session_, 0, false});
  }
  if (!options_.log || waited < kFirstLog) return;
  if ((waited - kFirstLog) % kLogInterval < milliseconds{1000}) {
    options_.log("waiting for bytes from " + fifo_->Describe() + ": 0 B/s for " + Seconds(waited) +
                 ", " + std::to_string(fifo_->bytes_read()) + " bytes before, " +
                 (feeder ? "the prefetcher is alive" : "no prefetcher announced itself"));
  }
}

void ChannelPipe::FailMissing(milliseconds waited) {
  const auto feeder = ReadFeeder(options_.pipe_dir, options_.channel);
  session_ = SessionOf(feeder);
  const std::string path = FifoPath(options_.pipe_dir, options_.channel, NextEpoch());
  struct stat status{};
  const bool held = (!feeder || feeder->alive) && stat(path.c_str(), &status) == 0;
  std::string message = "the named pipe " + path +
                        (held ? " was held by another reader for " : " did not appear in ") +
                        Seconds(waited) + "; " + ListDirectory(options_.pipe_dir) + "; ";
  if (held) {
    const std::optional<int64_t> holder = FlockHolder(path);
    const std::string who = holder == getpid() ? "another iterator of this process"
                            : holder           ? "process " + std::to_string(*holder)
                                               : "another iterator or process";
    message += who + " has opened it and waits for its first byte: read a channel by one at a time";
  } else if (feeder && feeder->alive) {
    message +=
        "the prefetcher is alive: an earlier epoch of this channel is still being read, or "
        "the state in " +
        options_.state_dir + " is of another run";
  } else if (feeder) {
    message += "the prefetcher of this channel (process " + std::to_string(feeder->pid) +
               ") is gone: start it again";
  } else {
    message +=
        "start the prefetcher (smtf stream, or Prefetcher in Python) with this pipe "
        "directory, or raise timeout";
  }
  throw Error(ErrorKind::kDeadlineExceeded, message);
}

void ChannelPipe::FailFeederGone(const Feeder& feeder) {
  throw Error(ErrorKind::kUnavailable,
              "the prefetcher of channel " + options_.channel +
                  (feeder.pid > 0 ? " (process " + std::to_string(feeder.pid) + ")" : "") +
                  " is gone without having ended its epoch: it was closed, died or was killed; "
                  "see its log and start it again");
}

}  // namespace smtf
