// When a fetch that failed is tried again, and when that is given up. The only place for it.
#ifndef SMTF_PREFETCH_RETRY_POLICY_H_
#define SMTF_PREFETCH_RETRY_POLICY_H_

#include <cstdint>
#include <optional>
#include <random>

#include "prefetch/object_source.h"

namespace smtf {

struct RetryLimits {
  unsigned tries = 8;   // of one part, the first included
  double seconds = 60;  // of one part, from its first failure to its last try
};

// Exponential backoff with full jitter: the wait before try n + 1 is uniform between 0 and
//   min(5 s, 0.04 s * 2.5^(n-1))  after trouble with the connection or the server
//   min(10 s, 0.01 s * 4^(n-1))   after the server asked for fewer requests
// The first waits are short because the part may be the one that the reader waits for: what is
// asked of a server that has too much to do is to send less at a time, which is not decided here.
// With the default of 8 tries, 7 waits, a server that refuses connections is given up after 5.7 s
// on average and 11.5 s at most; one that throttles after 11.7 s and 23.4 s. Retry-After is a lower
// bound on the wait.
//
// Not thread-safe.
class RetryPolicy {
 public:
  RetryPolicy(const RetryLimits& limits, uint64_t seed);

  // How long to wait before the next try, in seconds, or nothing to give up. `tries` were made, and
  // the first failure was `seconds_retried` ago.
  std::optional<double> Delay(const FetchResult& failure, unsigned tries, double seconds_retried);

 private:
  const RetryLimits limits_;
  std::mt19937_64 random_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_RETRY_POLICY_H_
