// Parts that wait for their next try.
#ifndef SMTF_PREFETCH_RETRY_SCHEDULE_H_
#define SMTF_PREFETCH_RETRY_SCHEDULE_H_

#include <map>
#include <memory>
#include <optional>

#include "prefetch/part.h"

namespace smtf {

// Not thread-safe: the part queue's lock guards it.
class RetrySchedule {
 public:
  using Clock = Part::Clock;

  void Add(std::shared_ptr<Part> part, Clock::time_point due);
  // Takes out the part that has been due for longest; null if none is.
  std::shared_ptr<Part> TakeDue(Clock::time_point now);
  // Nothing when no part waits.
  std::optional<Clock::time_point> next_due() const;

  // Those that the server told to come later, without saying when, are due now: their backoffs are
  // long, and it does not throttle any more.
  void HurryThrottled(Clock::time_point now);

  // If it is there. The caller holds the part, so that its buffer does not come back here.
  void Remove(const std::shared_ptr<Part>& part);
  void Swap(RetrySchedule* other) { parts_.swap(other->parts_); }

 private:
  std::multimap<Clock::time_point, std::shared_ptr<Part>> parts_;  // by when they are due
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_RETRY_SCHEDULE_H_
