// When a slow fetch is made a second time.
#ifndef SMTF_PREFETCH_HEDGE_POLICY_H_
#define SMTF_PREFETCH_HEDGE_POLICY_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace smtf {

// A fetch is slow when it takes more than three times as long as 95 % of the last 64 fetches took,
// scaled by its size, and a quarter of a second at least. S3's guide to performance recommends to
// time out and repeat the slowest requests; the bound on it, 5 % of the bytes that were fetched so
// far and one fetch more, keeps a server that is slow for everybody from getting twice the work.
//
// Not thread-safe: the part queue's lock guards it.
class HedgePolicy {
 public:
  using Duration = std::chrono::steady_clock::duration;

  // No fetch is slow before.
  static constexpr double kShortestPatienceSeconds = 0.25;

  explicit HedgePolicy(bool enabled) : enabled_(enabled) {}

  // A fetch of a whole part succeeded.
  void NoteFetch(size_t bytes, Duration duration);
  // A second fetch was begun.
  void NoteHedge(size_t bytes) { hedged_bytes_ += bytes; }

  // How long a fetch of so many bytes may take before it is slow. Nothing while that is not known,
  // where hedging is off, and while the budget is used up.
  std::optional<Duration> Patience(size_t bytes) const;

 private:
  static constexpr size_t kSamples = 64;

  void Recompute();

  const bool enabled_;
  // Of a fetch: seconds for its bytes and for a quarter of a MiB more, so that those of small
  // fetches, which are latency mostly, compare with those of large ones.
  std::array<double, kSamples> seconds_per_byte_{};
  size_t samples_ = 0;  // since the start
  double slow_seconds_per_byte_ = 0;
  uint64_t fetched_bytes_ = 0;
  uint64_t hedged_bytes_ = 0;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_HEDGE_POLICY_H_
