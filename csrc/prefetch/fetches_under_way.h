// The fetches that workers are making.
#ifndef SMTF_PREFETCH_FETCHES_UNDER_WAY_H_
#define SMTF_PREFETCH_FETCHES_UNDER_WAY_H_

#include <cstddef>
#include <map>
#include <memory>

#include "prefetch/hedge_policy.h"
#include "prefetch/part.h"
#include "prefetch/transfer_tuner.h"

namespace smtf {

// Hedges and dropped parts included: they take connections as well. Holds the parts, so that a
// dropped one lives until its worker gives it back. Not thread-safe: the part queue's lock guards
// it.
class FetchesUnderWay {
 public:
  using Clock = Part::Clock;

  // Begins a try.
  void Add(const std::shared_ptr<Part>& part, ObjectFetcher* fetcher);
  // The caller holds the part, so that its buffer does not come back here.
  void Remove(const Part& part);

  size_t size() const { return parts_.size(); }

  // Whether one more fetch may begin now; if not, `*later` is when one may although none has ended,
  // or Clock::time_point::max().
  bool MayBegin(const TransferTuner& tuner, Clock::time_point* later) const;

  // Of the fetches that were not found slow before, the one that will be next, and when; null if
  // there is none.
  std::shared_ptr<Part> Slowest(const HedgePolicy& policy, Clock::time_point* slow_from) const;

  // Says to each that it is not wanted any more.
  void Stop();
  // The same, and they are not to be settled.
  void Drop();

  // Ends one fetch.
  static void BreakOff(Part* part);

 private:
  std::map<const Part*, std::shared_ptr<Part>> parts_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FETCHES_UNDER_WAY_H_
