#include "prefetch/hedge_policy.h"

#include <algorithm>

namespace smtf {
namespace {

constexpr double kSlownessFactor = 3;
constexpr double kBudgetShare = 0.05;
constexpr size_t kFewestSamples = 20;
constexpr size_t kRecomputeEvery = 8;
// What the latency of a request is worth.
constexpr double kLatencyBytes = 256 * 1024;

}  // namespace

void HedgePolicy::NoteFetch(size_t bytes, Duration duration) {
  fetched_bytes_ += bytes;
  if (!enabled_) return;
  const double seconds = std::chrono::duration<double>(duration).count();
  seconds_per_byte_[samples_ % kSamples] = seconds / (static_cast<double>(bytes) + kLatencyBytes);
  if (++samples_ >= kFewestSamples && samples_ % kRecomputeEvery == 0) Recompute();
}

void HedgePolicy::Recompute() {
  std::array<double, kSamples> sorted = seconds_per_byte_;
  const size_t count = std::min(samples_, kSamples);
  const auto percentile = sorted.begin() + static_cast<ptrdiff_t>(count * 95 / 100);
  std::nth_element(sorted.begin(), percentile, sorted.begin() + static_cast<ptrdiff_t>(count));
  slow_seconds_per_byte_ = *percentile;
}

std::optional<HedgePolicy::Duration> HedgePolicy::Patience(size_t bytes) const {
  if (!enabled_ || slow_seconds_per_byte_ == 0) return std::nullopt;
  if (static_cast<double>(hedged_bytes_) > kBudgetShare * static_cast<double>(fetched_bytes_)) {
    return std::nullopt;
  }
  const double usual = slow_seconds_per_byte_ * (static_cast<double>(bytes) + kLatencyBytes);
  const double patience = std::max(kShortestPatienceSeconds, kSlownessFactor * usual);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(patience));
}

}  // namespace smtf
