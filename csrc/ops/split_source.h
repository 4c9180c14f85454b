// Objects that are given out one by one, among several iterators, as one stream.
#ifndef SMTF_OPS_SPLIT_SOURCE_H_
#define SMTF_OPS_SPLIT_SOURCE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "pipe/epoch_source.h"
#include "ring/ring_source.h"

namespace smtf {

// Gives the next object's place in the channel's list, or nothing when all are given out. May wait,
// and may throw.
using NextObject = std::function<std::optional<uint64_t>()>;

// Asks for an object, reads it to its end, asks for the next. Each is streamed by itself and in no
// epoch, so there is no position to go on from.
class SplitSource : public EpochSource {
 public:
  // `cancel` must outlive the source.
  SplitSource(RingSourceOptions options, NextObject next, const Wakeup* cancel);

  // Whoever gives the objects out knows what is left.
  void Resume(StreamPosition) override {}
  void EndedIn(const StreamPosition&) override {}
  bool Open() override { return false; }
  std::optional<StreamPosition> PositionAt(uint64_t) override { return std::nullopt; }
  // Only of the object under way.
  std::optional<StreamPosition> LookAhead(uint64_t offset) const override;
  void GiveUp() override {
    if (object_) object_->GiveUp();
  }

  size_t Read(char* dst, size_t max) override;
  size_t ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) override;
  // The object under way.
  std::string Describe() const override;

  std::chrono::milliseconds stalled() const override {
    return std::chrono::milliseconds(stalled_ms_.load());
  }
  // Of no epoch; there from the first read on.
  std::optional<uint64_t> epoch() const override;

 private:
  bool OpenNext();

  const RingSourceOptions options_;
  const NextObject next_;
  const Wakeup* cancel_;
  std::optional<RingSource> object_;
  bool begun_ = false;
  uint64_t bytes_read_ = 0;
  uint64_t object_at_ = 0;      // of them
  int64_t stalled_before_ = 0;  // in milliseconds, for the objects before this one
  std::atomic<int64_t> stalled_ms_{0};
};

}  // namespace smtf

#endif  // SMTF_OPS_SPLIT_SOURCE_H_
