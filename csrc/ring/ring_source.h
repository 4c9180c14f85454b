// The epochs of a prefetcher that feeds a ring in shared memory, as their reader sees them.
#ifndef SMTF_RING_RING_SOURCE_H_
#define SMTF_RING_RING_SOURCE_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "errors.h"
#include "pipe/epoch_source.h"
#include "pipe/object_range.h"
#include "pipe/stream_position.h"
#include "pipe/wakeup.h"
#include "ring/ring_call.h"
#include "ring/ring_messages.h"
#include "ring/ring_objects.h"
#include "ring/ring_reader.h"
#include "ring/ring_signal.h"

namespace smtf {

struct RingSourceOptions {
  // The whole of it, as the prefetcher's feed was given it: "smtf-<32 hex digits>/<pipe name>".
  std::string address;
  // For messages.
  std::string channel;
  // How long to wait for the prefetcher, and for other readers of the channel to end theirs. Those
  // who read `objects` wait for each other without limit.
  std::chrono::milliseconds timeout{120'000};
  // How long a read may wait without a byte; zero is for ever.
  std::chrono::milliseconds stall_timeout{600'000};
  // Whether the prefetcher has been there: then an address that nobody listens at is an error at
  // once.
  bool started = true;
  // Read only these, in the order of the list, and not the next epoch.
  std::optional<ObjectRange> objects;
  // Progress that a person may want to know; may be null.
  std::function<void(const std::string&)> log;
  // Called while a read waits, about once a second and when a signal interrupts it. May throw to
  // end the wait; may be null.
  std::function<void()> on_interrupt;
};

// Connects at the first read and is given the channel's next epoch once the readers before it have
// ended theirs. How it ends comes through the ring, in order behind its last byte; a prefetcher
// that ends without a word is an Error of kind kUnavailable. A read that failed gives the turn to
// the next reader, as GiveUp does, and those after it fail likewise.
//
// `cancel` may be signalled by any thread and ends every wait with kCancelled. A process that was
// forked from the one that connected must not read: an Error of kind kFailedPrecondition.
class RingSource : public EpochSource {
 public:
  // `cancel` must outlive the source.
  RingSource(RingSourceOptions options, const Wakeup* cancel);
  ~RingSource() override;
  RingSource(const RingSource&) = delete;
  RingSource& operator=(const RingSource&) = delete;

  void Resume(StreamPosition position) override;
  void EndedIn(const StreamPosition& position) override;
  void BeginFrom(const StreamPosition& position) override;
  // Waits for the turn of this reader. Always true.
  bool Open() override;
  std::optional<StreamPosition> PositionAt(uint64_t offset) override;
  std::optional<StreamPosition> LookAhead(uint64_t offset) const override {
    return objects_.PositionAt(offset);
  }
  void Forget(uint64_t offset) override { objects_.Forget(offset); }
  void GiveUp() override;

  size_t Read(char* dst, size_t max) override;
  size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) override;
  // "epoch 3 of channel train", or "the stream of channel train" before the first read.
  std::string Describe() const override;

  std::chrono::milliseconds stalled() const override {
    return std::chrono::milliseconds(stalled_ms_.load());
  }
  std::optional<uint64_t> epoch() const override { return epoch_; }

 private:
  void LeaveToOthers(const StreamPosition& next);
  void Begin();
  void Connect();
  void LetGo(const Error& error);
  size_t ReadSome(char* dst, size_t max, char* spill, size_t spill_max);
  StreamPosition NextPosition() const;
  std::string_view BytesThere();
  std::string_view NextBytes();
  void EndAsTold();
  void WaitForFrames(std::chrono::steady_clock::time_point since);
  void Listen();
  void RequireSameProcess() const;
  RingCallOptions CallOptions() const;

  const RingSourceOptions options_;
  const Wakeup* cancel_;
  std::optional<StreamPosition> resume_;
  std::unique_ptr<RingCall> call_;  // which a reader that has begun has, until it fails
  std::optional<RingReader> reader_;
  std::optional<RingSignal> data_;  // wakes this
  std::optional<RingSignal> room_;  // wakes the prefetcher
  RingObjects objects_;
  std::optional<uint64_t> epoch_;
  std::optional<Outcome> outcome_;  // once the prefetcher has said it
  bool gone_ = false;               // the prefetcher, or it has said everything
  bool ended_ = false;
  std::optional<Error> failure_;  // of a read; others have their turn since
  pid_t process_ = 0;             // that has connected
  uint64_t bytes_read_ = 0;
  std::atomic<int64_t> stalled_ms_{0};
};

}  // namespace smtf

#endif  // SMTF_RING_RING_SOURCE_H_
