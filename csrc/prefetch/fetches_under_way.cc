#include "prefetch/fetches_under_way.h"

#include <algorithm>

namespace smtf {

void FetchesUnderWay::Add(const std::shared_ptr<Part>& part, ObjectFetcher* fetcher) {
  part->state = Part::State::kFetching;
  part->fetcher = fetcher;
  part->began = Clock::now();
  if (part->tries++ == 0) part->first_try = part->began;
  parts_[part.get()] = part;
}

void FetchesUnderWay::Remove(const Part& part) { parts_.erase(&part); }

bool FetchesUnderWay::MayBegin(const TransferTuner& tuner, Clock::time_point* later) const {
  *later = Clock::time_point::max();
  size_t allowed = static_cast<size_t>(tuner.connections());
  if (parts_.size() < allowed) return true;
  if (parts_.size() >= static_cast<size_t>(tuner.most_fetches())) return false;
  const Clock::time_point now = Clock::now();
  for (const auto& [raw, part] : parts_) {
    const auto lead = tuner.LeadAfter(part->spec.size);
    if (!lead) continue;
    const Clock::time_point ending = part->began + *lead;
    if (ending <= now) ++allowed;
    if (ending > now) *later = std::min(*later, ending);
  }
  return parts_.size() < allowed;
}

std::shared_ptr<Part> FetchesUnderWay::Slowest(const HedgePolicy& policy,
                                               Clock::time_point* slow_from) const {
  std::shared_ptr<Part> slowest;
  for (const auto& [raw, part] : parts_) {
    if (part->hedged || part->dropped) continue;
    const auto patience = policy.Patience(part->spec.size);
    if (!patience) continue;
    const Clock::time_point from = part->began + *patience;
    if (slowest && from >= *slow_from) continue;
    slowest = part;
    *slow_from = from;
  }
  return slowest;
}

void FetchesUnderWay::Stop() {
  for (const auto& [raw, part] : parts_) BreakOff(part.get());
}

void FetchesUnderWay::Drop() {
  for (const auto& [raw, part] : parts_) part->dropped = true;
  Stop();
}

void FetchesUnderWay::BreakOff(Part* part) {
  part->stop = true;
  part->fetcher->Nudge();
}

}  // namespace smtf
