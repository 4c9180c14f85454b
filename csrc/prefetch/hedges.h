// Slow fetches that are made a second time.
#ifndef SMTF_PREFETCH_HEDGES_H_
#define SMTF_PREFETCH_HEDGES_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "prefetch/buffer_pool.h"
#include "prefetch/fetches_under_way.h"
#include "prefetch/hedge_policy.h"
#include "prefetch/part.h"
#include "prefetch/part_window.h"

namespace smtf {

// A hedge is a part with the range of the slow one and a buffer of its own. The two are each
// other's twins until one of them is done or fails for good; the window holds the slow one, and the
// hedge only once it has taken its place.
//
// Not thread-safe: the part queue's lock guards it.
class Hedges {
 public:
  using Clock = Part::Clock;

  // `memory_bytes` is the limit of the pool that the hedges' buffers come from.
  Hedges(bool enabled, size_t memory_bytes)
      : enabled_(enabled), memory_bytes_(memory_bytes), policy_(enabled) {}

  bool enabled() const { return enabled_; }
  // How many were begun, and how many of them were faster.
  uint64_t begun() const { return begun_; }
  uint64_t won() const { return won_; }

  // What planning a part of that size leaves free, so that a slow one can be fetched a second time.
  size_t Spare(size_t size) const;

  // A fetch of a whole part succeeded.
  void NoteFetch(size_t bytes, Clock::duration duration) { policy_.NoteFetch(bytes, duration); }
  // As FetchesUnderWay::Slowest: the next to be found slow, and when.
  std::shared_ptr<Part> Slowest(const FetchesUnderWay& fetches, Clock::time_point* slow_from) const;

  // A hedge, to be fetched, for the fetch that has gone on for longest, if it is slow; null if
  // there is none. Null also if there is no memory for a second one: then the slow fetch is broken
  // off, to be begun anew.
  std::shared_ptr<Part> Take(const FetchesUnderWay& fetches, BufferPool* pool);

  // `part` is done. If it had a twin it has none any more, and the place of the two in the window.
  // Returns the twin, to be dropped; null without one.
  std::shared_ptr<Part> Settle(const std::shared_ptr<Part>& part, PartWindow* window);
  // A try of `part` has failed, for good or not. If it has a twin that goes on alone, `part` is
  // dropped, its twin has the place in the window, and true is returned.
  static bool Yield(const std::shared_ptr<Part>& part, bool for_good, PartWindow* window);

 private:
  static void PutInPlace(const std::shared_ptr<Part>& hedge, const Part& slow, PartWindow* window);

  const bool enabled_;
  const size_t memory_bytes_;
  HedgePolicy policy_;
  uint64_t begun_ = 0;
  uint64_t won_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_HEDGES_H_
