#include "ring/count_ring_objects.h"

#include <utility>

#include "errors.h"
#include "ring/ring_messages.h"

namespace smtf {

uint64_t CountRingObjects(RingCallOptions options, const Wakeup* cancel) {
  RingHello hello;
  hello.want = RingHello::Want::kCount;
  RingCall call(std::move(options), hello, cancel);
  const RingAnswer answer = call.AwaitAnswer();
  if (const auto* count = std::get_if<RingCount>(&answer)) return count->units;
  throw Error(ErrorKind::kDataLoss, call.DescribePrefetcher() + " did not say how many objects " +
                                        "it has; it is not of this version");
}

}  // namespace smtf
