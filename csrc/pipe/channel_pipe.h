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

#include "framing/byte_source.h"
#include "pipe/epoch_state.h"
#include "pipe/feed_status.h"
#include "pipe/fifo_reader.h"
#include "pipe/object_log.h"
#include "pipe/stream_position.h"
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
  // Called now and then while nothing comes, and when a signal interrupts a wait. What it throws
  // ends the wait.
  std::function<void()> on_interrupt;
};

// Finds the channel's next epoch at the first read, not before, and counts it as used once a byte
// of it was read or its end was reached: an iterator that is made and never read costs nothing. Of
// several readers that begin together, in one process or more, each gets an epoch of its own. At
// the end it asks the prefetcher's outcome whether that was all; what went wrong there is thrown
// here, with the prefetcher's own kind and message. Where no prefetcher announced itself, as on
// SageMaker, an end is an end.
//
// Where one of our prefetchers writes, a reader can say where it is, and another can go on there.
//
// Used by one thread; `cancel` may be signalled by any and ends every wait with kCancelled.
class ChannelPipe : public ByteSource {
 public:
  ChannelPipe(ChannelPipeOptions options, const Wakeup* cancel);

  // Before the first read: go on here, if one of our prefetchers writes.
  void Resume(StreamPosition position);
  // Nothing will be read by this, as all of the position's epoch was read before. The next reader
  // of this channel in this process that is not told where to begin gets the epoch behind it.
  void EndedIn(const StreamPosition& position);
  // Waits for the pipe like a read. Whether one of our prefetchers writes to it.
  bool Open();
  // Of this offset in what was read, which is not before that of the last call. Nothing where the
  // writer is not ours. Before the first read, with offset 0: where that will be.
  std::optional<StreamPosition> PositionAt(uint64_t offset);

  size_t Read(char* dst, size_t max) override;
  size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) override;
  size_t MoveTo(PartialFile* file, uint64_t max) override;
  // The pipe's path once there is one.
  std::string Describe() const override;

  // How long reads have waited for bytes so far. May be asked by any thread.
  std::chrono::milliseconds stalled() const {
    return std::chrono::milliseconds(stalled_ms_.load());
  }
  // Of the pipe being read; nothing before the first read.
  std::optional<uint64_t> epoch() const { return epoch_; }

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
  void RequestResume(uint64_t epoch);
  bool OpenLog();
  void DropPipe();
  [[noreturn]] void FailForeignRequest() const;
  std::string Key() const { return options_.pipe_dir + "/" + options_.channel; }
  std::optional<StreamPosition> NextPosition();
  void CheckOutcome();
  void CheckFeeder(std::chrono::milliseconds waited);
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
  std::string request_;  // the id of what was asked for, or empty
  std::unique_ptr<ObjectLogReader> log_;
  bool used_ = false;
  bool checked_ = false;
};

}  // namespace smtf

#endif  // SMTF_PIPE_CHANNEL_PIPE_H_
