#include "prefetch/hedges.h"

#include <utility>

#include "errors.h"

namespace smtf {
namespace {

Buffer AcquireIfPossible(size_t size, BufferPool* pool) {
  try {
    return pool->TryAcquire(size);
  } catch (const Error&) {
    return Buffer();  // the system has none: a hedge can be done without
  }
}

}  // namespace

// Large parts in a small budget need all of it.
size_t Hedges::Spare(size_t size) const {
  const size_t spare = BufferPool::CapacityFor(size);
  return enabled_ && spare <= memory_bytes_ / 16 ? spare : 0;
}

std::shared_ptr<Part> Hedges::Slowest(const FetchesUnderWay& fetches,
                                      Clock::time_point* slow_from) const {
  return fetches.Slowest(policy_, slow_from);
}

std::shared_ptr<Part> Hedges::Take(const FetchesUnderWay& fetches, BufferPool* pool) {
  Clock::time_point slow_from;
  const std::shared_ptr<Part> slow = Slowest(fetches, &slow_from);
  if (!slow || slow_from > Clock::now()) return nullptr;
  slow->hedged = true;
  Buffer buffer = AcquireIfPossible(slow->spec.size, pool);
  if (!buffer) {
    slow->restart = true;
    FetchesUnderWay::BreakOff(slow.get());
    return nullptr;
  }
  auto hedge = std::make_shared<Part>(slow->spec, std::move(buffer));
  hedge->epoch = slow->epoch;
  hedge->is_hedge = hedge->hedged = true;
  hedge->twin = slow;
  slow->twin = hedge;
  policy_.NoteHedge(hedge->spec.size);
  ++begun_;
  return hedge;
}

std::shared_ptr<Part> Hedges::Settle(const std::shared_ptr<Part>& part, PartWindow* window) {
  std::shared_ptr<Part> twin = part->twin.lock();
  if (!twin) return nullptr;
  if (part->is_hedge) {
    PutInPlace(part, *twin, window);
    ++won_;
  }
  part->twin.reset();
  return twin;
}

bool Hedges::Yield(const std::shared_ptr<Part>& part, bool for_good, PartWindow* window) {
  const std::shared_ptr<Part> twin = part->twin.lock();
  if (!twin || !(part->is_hedge || for_good)) return false;
  if (!part->is_hedge) PutInPlace(twin, *part, window);
  twin->twin.reset();
  part->dropped = true;
  return true;
}

void Hedges::PutInPlace(const std::shared_ptr<Part>& hedge, const Part& slow, PartWindow* window) {
  hedge->is_hedge = false;
  window->Replace(slow, hedge);
}

}  // namespace smtf
