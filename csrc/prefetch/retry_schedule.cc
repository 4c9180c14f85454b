#include "prefetch/retry_schedule.h"

#include <algorithm>
#include <utility>

namespace smtf {

void RetrySchedule::Add(std::shared_ptr<Part> part, Clock::time_point due) {
  parts_.emplace(due, std::move(part));
}

std::shared_ptr<Part> RetrySchedule::TakeDue(Clock::time_point now) {
  if (parts_.empty() || parts_.begin()->first > now) return nullptr;
  std::shared_ptr<Part> part = std::move(parts_.begin()->second);
  parts_.erase(parts_.begin());
  return part;
}

std::optional<RetrySchedule::Clock::time_point> RetrySchedule::next_due() const {
  if (parts_.empty()) return std::nullopt;
  return parts_.begin()->first;
}

void RetrySchedule::HurryThrottled(Clock::time_point now) {
  std::multimap<Clock::time_point, std::shared_ptr<Part>> hurried;
  for (auto& [due, part] : parts_) {
    const bool hurry = part->failure.throttled && part->failure.retry_after_seconds == 0;
    hurried.emplace(hurry ? std::min(due, now) : due, std::move(part));
  }
  parts_.swap(hurried);
}

void RetrySchedule::Remove(const std::shared_ptr<Part>& part) {
  const auto place = std::find_if(parts_.begin(), parts_.end(),
                                  [&part](const auto& entry) { return entry.second == part; });
  if (place != parts_.end()) parts_.erase(place);
}

}  // namespace smtf
