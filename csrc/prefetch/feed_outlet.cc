#include "prefetch/feed_outlet.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "errors.h"
#include "pipe/pipe_outlet.h"
#include "ring/ring_outlet.h"

namespace smtf {
namespace {

// How many units there are, once all are listed.
std::optional<uint64_t> CountUnits(const ObjectList& objects, size_t group) {
  if (const std::optional<Error> failure = objects.failure()) throw *failure;
  const ObjectList::Extent list = objects.extent();
  if (!list.finished) return std::nullopt;
  return (list.size + group - 1) / group;
}

}  // namespace

std::unique_ptr<EpochOutlet> MakeOutlet(const FeedOptions& options,
                                        std::shared_ptr<const ObjectList> objects) {
  if (options.ring_address.empty()) {
    return std::make_unique<PipeOutlet>(options.pipe_dir, options.channel);
  }
  const size_t group = options.queue.plan.order.group;
  return std::make_unique<RingOutlet>(
      options.ring_address, options.queue.tuner.memory_bytes,
      [objects = std::move(objects), group] { return CountUnits(*objects, group); });
}

}  // namespace smtf
