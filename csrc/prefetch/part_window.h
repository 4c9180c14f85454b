// The parts that are planned and not popped, in the order of the stream.
#ifndef SMTF_PREFETCH_PART_WINDOW_H_
#define SMTF_PREFETCH_PART_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "errors.h"
#include "prefetch/buffer_pool.h"
#include "prefetch/part.h"
#include "prefetch/part_plan.h"
#include "prefetch/transfer_tuner.h"

namespace smtf {

// Holds the parts and counts those that are ready. The last reference to a part returns its buffer,
// and that takes the part queue's lock: so whatever leaves the window is handed to the caller, who
// lets go of it without the lock.
//
// Not thread-safe: the part queue's lock guards it.
class PartWindow {
 public:
  bool empty() const { return parts_.empty(); }
  // The part to be popped next. Not of an empty window.
  const std::shared_ptr<Part>& head() const { return parts_.front(); }
  bool IsHead(const Part& part) const { return !empty() && head().get() == &part; }
  bool AnyFailed() const;

  // Of the parts that are ready: the bytes, and how many they are.
  uint64_t ready_bytes() const { return ready_bytes_; }
  uint64_t ready_parts() const { return ready_parts_; }

  // Whether one more part of `size` bytes, behind the others, should wait until the head is there,
  // or was popped.
  bool FarEnoughAhead(size_t size, const TransferTuner& tuner, const BufferPool& pool) const;

  // The next part of the plan. It is ready at once where nothing has to be fetched: bytes that
  // stand in the list, and objects without bytes. Another one is kFetching, in nobody's hands yet.
  const std::shared_ptr<Part>& Add(const PartSpec& spec, Buffer buffer, uint64_t epoch);
  // The same for a part that cannot be planned.
  void AddFailed(const PartSpec& spec, const Error& error, uint64_t epoch);
  // The part that was popped last is the head again, with nothing in its buffer and not ready: the
  // caller says what becomes of it.
  void PutBack(std::shared_ptr<Part> part);

  // Every byte of a part of this window is there.
  void SetReady(Part* part);
  // In the place of `part`, which is in the window and not ready. The caller holds it.
  void Replace(const Part& part, std::shared_ptr<Part> replacement);

  // Takes out the head.
  std::shared_ptr<Part> Pop();
  // Takes out the parts of this object at the head; none if the head is another one's.
  std::vector<std::shared_ptr<Part>> TakeObject(uint64_t epoch, uint64_t object_index);
  // Takes out every part.
  std::deque<std::shared_ptr<Part>> TakeAll();

 private:
  std::deque<std::shared_ptr<Part>> parts_;
  uint64_t ready_bytes_ = 0;
  uint64_t ready_parts_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_WINDOW_H_
