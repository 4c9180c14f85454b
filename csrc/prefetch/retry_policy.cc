#include "prefetch/retry_policy.h"

#include <algorithm>
#include <cmath>

namespace smtf {
namespace {

double Ceiling(bool throttled, unsigned tries) {
  const double first = throttled ? 0.01 : 0.04;
  const double growth = throttled ? 4 : 2.5;
  const double longest = throttled ? 10 : 5;
  return std::min(longest, first * std::pow(growth, tries - 1));
}

}  // namespace

RetryPolicy::RetryPolicy(const RetryLimits& limits, uint64_t seed)
    : limits_(limits), random_(seed) {}

std::optional<double> RetryPolicy::Delay(const FetchResult& failure, unsigned tries,
                                         double seconds_retried) {
  if (tries >= limits_.tries) return std::nullopt;
  std::uniform_real_distribution<double> jitter(0, Ceiling(failure.throttled, tries));
  const double delay = std::max(jitter(random_), failure.retry_after_seconds);
  if (seconds_retried + delay > limits_.seconds) return std::nullopt;
  return delay;
}

}  // namespace smtf
