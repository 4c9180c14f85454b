#include "pipe/channel_pipe.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "errors.h"
#include "pipe/epoch_readers.h"
#include "pipe/random_name.h"
#include "pipe/restored_epochs.h"
#include "pipe/resume_request.h"
#include "pipe/sessions_seen.h"
#include "pipe/whole_epoch.h"

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

// Empty for SageMaker's agent, which does not announce itself.
std::string SessionOf(const std::optional<Feeder>& feeder) {
  return feeder ? feeder->session : std::string();
}

std::string Seconds(milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

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
  if (given_up_) return 0;
  for (int tries = 1;; ++tries) {
    if (!fifo_) AwaitPipe();
    const size_t got = function();
    if (!used_) MarkUsed();
    if (!log_ && !OpenLog(got > 0)) {
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
  EndedIn(position);  // as far as others are concerned
  resume_ = std::move(position);
}

void ChannelPipe::EndedIn(const StreamPosition& position) {
  StreamPosition next = position;
  ++next.epoch;
  EpochsOfRestored().Leave(Key(), next);
}

void ChannelPipe::BeginFrom(const StreamPosition& position) {
  EpochsOfRestored().Leave(Key(), position);
}

void ChannelPipe::Log(const std::string& line) const {
  if (options_.log) options_.log("channel " + options_.channel + ": " + line);
}

bool ChannelPipe::Open() {
  if (!fifo_) AwaitPipe();
  return !session_.empty();
}

std::optional<StreamPosition> ChannelPipe::PositionAt(uint64_t offset) {
  if (!used_) return NextPosition();
  if (session_.empty()) return std::nullopt;
  if (!log_) return asked_;  // it failed before it came so far
  if (log_->given_up()) throw log_->Unfinished();
  if (!log_->exists()) return std::nullopt;
  const StreamPosition position = log_->PositionAt(offset, fifo_->bytes_read());
  // No object has begun: it may have failed to.
  return position.name.empty() && asked_ ? *asked_ : position;
}

std::optional<StreamPosition> ChannelPipe::LookAhead(uint64_t offset) const {
  if (!log_ || !log_->exists()) return std::nullopt;
  return log_->LookAhead(offset);
}

void ChannelPipe::GiveUp() {
  turn_.reset();
  if (fifo_) fifo_->Close();
  given_up_ = true;
}

std::string ChannelPipe::Describe() const {
  if (fifo_) return fifo_->Describe();
  return options_.pipe_dir + "/" + options_.channel + "_<epoch>";
}

void ChannelPipe::AwaitPipe() {
  const auto since = Clock::now();
  milliseconds next_log = kFirstLog;
  for (milliseconds nap = kShortestNap; !TryOpen(); nap = std::min(2 * nap, kLongestNap)) {
    const auto waited = duration_cast<milliseconds>(Clock::now() - since);
    if (waited >= options_.timeout) FailMissing(waited);
    if (waited >= next_log && options_.log) {
      next_log += kLogInterval;
      const std::string reader = DescribeReaderBefore(Missing());
      options_.log("waiting for the named pipe of channel " + options_.channel + " in " +
                   options_.pipe_dir + ": " + Seconds(waited) +
                   (reader.empty() ? "" : "; " + reader));
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
    SeenSessions().Add(feeder->session);
  }
  session_ = SessionOf(feeder);
  if (gone && SeenSessions().Has(session_)) FailFeederGone(*feeder);
  // A dead prefetcher's pipe is passed over: nobody will ever write to it.
  if (!gone && TakePipe(NextEpoch())) return true;
  // Without a pipe, an outcome says that the epoch is over, if it is of a prefetcher we know, which
  // may have been stopped since.
  if (!feeder) session_ = LoadEpochState(options_.state_dir, options_.channel).session;
  return SeenSessions().Has(session_) && SkipEndedEpoch(NextEpoch()) && TryOpen();
}

// Opens the epoch's pipe, if it is there and nobody else reads it.
bool ChannelPipe::TakePipe(uint64_t epoch) {
  std::unique_ptr<ReaderTurn> turn;
  if (!session_.empty()) {
    turn = ReaderTurn::Take(options_.pipe_dir, options_.channel, epoch);
    if (!turn || !IsNext(epoch)) return false;
  }
  FifoReaderOptions reader_options;
  reader_options.stall_timeout = options_.stall_timeout;
  reader_options.stalled_ms = &stalled_ms_;
  reader_options.on_wait = [this](milliseconds waited) { CheckFeeder(waited); };
  reader_options.on_interrupt = options_.on_interrupt;
  std::unique_ptr<FifoReader> fifo;
  try {
    const std::string path = FifoPath(options_.pipe_dir, options_.channel, epoch);
    // Opening the pipe is what the prefetcher waits for, and then the request has to be there.
    if (turn && access(path.c_str(), F_OK) != 0) return false;
    if (turn) AskFor(epoch);
    fifo = std::make_unique<FifoReader>(path, std::move(reader_options), cancel_);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return false;
    throw;
  }
  // Another iterator may be waiting for this epoch's first byte, and have noted down nothing yet.
  if (!fifo->Lock() || !IsNext(epoch)) return false;
  epoch_ = epoch;
  fifo_ = std::move(fifo);
  turn_ = std::move(turn);
  if (!notice_.empty() && options_.on_conflict) {
    options_.on_conflict("channel " + options_.channel + ": " + notice_);
  }
  return true;
}

// False once another has read it, or another prefetcher come.
bool ChannelPipe::IsNext(uint64_t epoch) {
  return NextEpoch() == epoch &&
         SessionOf(ReadFeeder(options_.pipe_dir, options_.channel)) == session_;
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

// With the turn. What lies there is of a reader that died.
void ChannelPipe::AskFor(uint64_t pipe) {
  const UnreadEpoch unread = FindUnreadEpoch(options_.pipe_dir, options_.channel, session_, pipe);
  coming_ = unread.coming;
  asked_ = resume_;
  if (!resume_ && !unread.ComesAnyway()) asked_ = unread.wanted;
  notice_ = resume_ ? NoticeOfShared(options_.pipe_dir, options_.channel, session_, resume_->epoch)
                    : unread.Notice();
  request_ = asked_ ? RandomName() : "";
  if (asked_) {
    WriteResumeRequest(options_.pipe_dir, options_.channel, {request_, pipe, *asked_});
  } else {
    RemoveResumeRequest(options_.pipe_dir, options_.channel);
  }
}

// After the first read, when all that it says of that is there. False where the stream is not what
// this reader asked for: another, which may be dead, opened the pipe before it.
bool ChannelPipe::OpenLog(bool first_byte) {
  if (session_.empty()) return true;
  auto log = std::make_unique<ObjectLogReader>(
      ObjectLogPath(options_.pipe_dir, options_.channel, *epoch_));
  // A stream of framed objects has none, nor has one whose prefetcher died before it was begun,
  // which its outcome tells.
  if (log->exists() && log->head().request != request_) return false;
  if (!log->exists() && asked_) FailUnlogged(*log);
  log_ = std::move(log);
  NoteEpoch(first_byte);
  turn_.reset();
  return true;
}

// For those who read this channel next, in this process and in others.
void ChannelPipe::NoteEpoch(bool first_byte) {
  if (log_->exists()) coming_.emplace().epoch = log_->head().epoch;
  if (!coming_) return;
  EpochsOfRestored().Began(Key(), session_, coming_->epoch);
  if (!first_byte || !log_->exists()) return;
  try {
    NoteEpochRead(options_.pipe_dir, options_.channel, session_, coming_->epoch);
  } catch (const Error& error) {
    Log(std::string("other processes are not told of this epoch, and may read it again after a "
                    "restore: ") +
        error.what());
  }
}

// The next pipe is another chance: what was read of this one, nobody has seen.
void ChannelPipe::DropPipe() {
  fifo_.reset();
  turn_.reset();
  epoch_.reset();
  asked_.reset();
  request_.clear();
  coming_.reset();
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

// Where this reader asked to begin somewhere, and nothing says that it does.
void ChannelPipe::FailUnlogged(const ObjectLogReader& log) {
  const auto feeder = ReadFeeder(options_.pipe_dir, options_.channel);
  const auto outcome = ReadOutcome(options_.pipe_dir, options_.channel, *epoch_);
  const bool there = feeder && feeder->alive && feeder->session == session_;
  if (!there || !outcome || outcome->state == Outcome::State::kError) CheckOutcome();
  throw Error(ErrorKind::kUnavailable,
              "reading " + fifo_->Describe() +
                  ": nothing says whether it begins at the position that was asked for, epoch " +
                  std::to_string(asked_->epoch) + ": " + log.Describe() +
                  (feeder ? "; its prefetcher (process " + std::to_string(feeder->pid) +
                                (feeder->alive ? ", which is alive)" : ")") + " could not write it"
                          : std::string()) +
                  "; make room in " + options_.pipe_dir + " and restore again");
}

// Before the first read: the beginning of the epoch that would be next.
std::optional<StreamPosition> ChannelPipe::NextPosition() const {
  if (resume_) return resume_;
  const std::string session = SessionOf(ReadFeeder(options_.pipe_dir, options_.channel));
  if (session.empty()) return EpochsOfRestored().Next(Key(), session);
  const EpochState state = LoadEpochState(options_.state_dir, options_.channel);
  StreamPosition position;
  position.epoch = session == state.session ? state.next : 0;
  const UnreadEpoch unread =
      FindUnreadEpoch(options_.pipe_dir, options_.channel, session, position.epoch);
  return unread.wanted.value_or(position);
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
  if (outcome->state == Outcome::State::kError) {
    ForgetIfRefused(outcome->error_kind.value_or(ErrorKind::kInternal));
  }
  RequireWholeEpoch(*outcome, feeder, fifo_->Describe(), fifo_->bytes_read());
}

// What the prefetcher cannot go on with is no reason for it to refuse those who come next. What it
// could not have this time is another thing.
void ChannelPipe::ForgetIfRefused(ErrorKind kind) {
  const bool begun = log_ && log_->exists() && log_->HasObjects();
  const bool refused = kind == ErrorKind::kFailedPrecondition;
  if (asked_ && refused && !begun) EpochsOfRestored().Forget(Key());
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
  session_ = SessionOf(ReadFeeder(options_.pipe_dir, options_.channel));
  throw Error(ErrorKind::kDeadlineExceeded, DescribeMissingPipe(Missing(), Seconds(waited)));
}

MissingPipe ChannelPipe::Missing() {
  return {options_.channel, options_.pipe_dir, options_.state_dir, NextEpoch()};
}

void ChannelPipe::FailFeederGone(const Feeder& feeder) {
  const bool directory = access(options_.pipe_dir.c_str(), F_OK) == 0;
  throw Error(ErrorKind::kUnavailable,
              "the prefetcher of channel " + options_.channel +
                  (feeder.pid > 0 ? " (process " + std::to_string(feeder.pid) + ")" : "") +
                  " is gone without having ended its epoch" +
                  (directory ? "" : ", and so is the directory " + options_.pipe_dir) +
                  ": it was closed, died or was killed" +
                  (directory ? "" : ", or the directory was removed from under it") +
                  "; see its log and start it again");
}

}  // namespace smtf
