// One epoch of a channel as its reader sees it: which pipe, and whether it ended well.
#ifndef SMTF_PIPE_CHANNEL_PIPE_H_
#define SMTF_PIPE_CHANNEL_PIPE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "pipe/epoch_source.h"
#include "pipe/epoch_state.h"
#include "pipe/feed_status.h"
#include "pipe/fifo_reader.h"
#include "pipe/missing_pipe.h"
#include "pipe/object_log.h"
#include "pipe/reader_turn.h"
#include "pipe/stream_position.h"
#include "pipe/unread_epoch.h"
#include "pipe/wakeup.h"

namespace smtf {

struct ChannelPipeOptions {
  std::string channel;
  std::string pipe_dir;   // where <channel>_<epoch> is
  std::string state_dir;  // where the next epoch is remembered
  // How long to wait for the pipe to be made.
  std::chrono::milliseconds timeout{120'000};
  // How long a read may wait without a byte; zero is for ever.
  std::chrono::milliseconds stall_timeout{600'000};
  // The prefetcher is there already: where it is gone no other is waited for.
  bool started = false;
  // Gets a line now and then while nothing comes.
  std::function<void(const std::string&)> log;
  // Gets a line where epochs are left out, or read by two, because another process has had them.
  std::function<void(const std::string&)> on_conflict;
  // Called now and then while nothing comes, and when a signal interrupts a wait. What it throws
  // ends the wait.
  std::function<void()> on_interrupt;
};

// An epoch that comes through a named pipe. An iterator that is made and never read costs nothing.
// Of several readers that begin together, in one process or more, each gets an epoch of its own. At
// the end it asks the prefetcher's outcome whether that was all. Where no prefetcher announced
// itself, as on SageMaker, an end is an end, and a position is nothing.
//
// `cancel` may be signalled by any thread and ends every wait with kCancelled.
class ChannelPipe : public EpochSource {
 public:
  ChannelPipe(ChannelPipeOptions options, const Wakeup* cancel);

  void Resume(StreamPosition position) override;
  void EndedIn(const StreamPosition& position) override;
  void BeginFrom(const StreamPosition& position) override;
  bool Open() override;
  std::optional<StreamPosition> PositionAt(uint64_t offset) override;
  std::optional<StreamPosition> LookAhead(uint64_t offset) const override;
  void GiveUp() override;

  size_t Read(char* dst, size_t max) override;
  size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) override;
  size_t MoveTo(PartialFile* file, uint64_t max) override;
  // The pipe's path once there is one.
  std::string Describe() const override;

  std::chrono::milliseconds stalled() const override {
    return std::chrono::milliseconds(stalled_ms_.load());
  }
  // Of the pipe being read.
  std::optional<uint64_t> epoch() const override { return epoch_; }

 private:
  template <typename Function>
  size_t Take(Function function);
  void AwaitPipe();
  // One look for the next pipe: true once fifo_ is open, false to look again later.
  bool TryOpen();
  bool TakePipe(uint64_t epoch);
  // Of session_.
  uint64_t NextEpoch();
  bool SkipEndedEpoch(uint64_t epoch);
  void MarkUsed();
  bool IsNext(uint64_t epoch);
  void AskFor(uint64_t pipe);
  void ForgetIfRefused(ErrorKind kind);
  bool OpenLog(bool first_byte);
  void NoteEpoch(bool first_byte);
  void DropPipe();
  [[noreturn]] void FailForeignRequest() const;
  [[noreturn]] void FailUnlogged(const ObjectLogReader& log);
  void Log(const std::string& line) const;
  std::string Key() const { return ChannelKey(options_.pipe_dir, options_.channel); }
  std::optional<StreamPosition> NextPosition() const;
  void CheckOutcome();
  void CheckFeeder(std::chrono::milliseconds waited);
  MissingPipe Missing();
  [[noreturn]] void FailMissing(std::chrono::milliseconds waited);
  [[noreturn]] void FailFeederGone(const Feeder& feeder);

  ChannelPipeOptions options_;
  const Wakeup* cancel_;
  std::unique_ptr<FifoReader> fifo_;
  std::optional<uint64_t> epoch_;
  // Whose epochs are being counted: the prefetcher's that was last looked at, empty for SageMaker's
  // agent.
  std::string session_;
  // Whose epochs the state counted when it was last looked at.
  std::string former_session_;
  std::atomic<int64_t> stalled_ms_{0};
  std::optional<StreamPosition> resume_;
  std::unique_ptr<ReaderTurn> turn_;  // from before the pipe was opened until its first byte
  // Of this pipe: what was asked for, and by which id; nothing and empty where it is what comes.
  std::optional<StreamPosition> asked_;
  std::string request_;
  // What the pipe brings if nobody asks for anything; nothing where that could not be told.
  std::optional<StreamPosition> coming_;
  std::string notice_;  // about this pipe's epoch and other processes; empty where there is none
  std::unique_ptr<ObjectLogReader> log_;
  bool used_ = false;
  bool checked_ = false;
  bool given_up_ = false;
};

}  // namespace smtf

#endif  // SMTF_PIPE_CHANNEL_PIPE_H_
