// Cuts a channel's objects into the parts that are fetched, epoch after epoch.
#ifndef SMTF_PREFETCH_PART_PLAN_H_
#define SMTF_PREFETCH_PART_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "errors.h"
#include "prefetch/epoch_order.h"
#include "prefetch/object_list.h"

namespace smtf {

// A range of one object, fetched with one request.
struct PartSpec {
  ObjectRef object;
  uint64_t object_index = 0;  // in this epoch's order of this shard, from 0
  uint64_t offset = 0;        // in the object
  size_t size = 0;
  bool begins_object = false;
  bool ends_object = false;
};

struct PlanOptions {
  size_t first_part_bytes = 256 * 1024;  // at least 1
  OrderOptions order;
  // Whether an object without bytes has a part, of size 0: wrapping makes a record of
  // it, and framing an object.
  bool keep_empty = false;
};

// Where in an epoch to begin, other than at its beginning.
struct PlanStart {
  uint64_t objects = 0;  // of the epoch's order to leave out
  uint64_t offset = 0;   // in the object behind those; all of it is left out at its size
  // Begin with that object's first byte nevertheless.
  bool whole_object = false;
  // Whether it is the right object; what it returns ends the epoch. May be empty.
  std::function<std::optional<Error>(const ObjectRef&)> check;
  // Of the list in its order, instead of the epoch's; `objects` counts within them.
  std::optional<ObjectRange> only = std::nullopt;

  // Whether it is an epoch's beginning.
  bool plain() const { return objects == 0 && offset == 0 && !check && !only; }
};

// Parts end at multiples of the part size. The first that an epoch fetches is smaller, so that the
// first record does not wait for 8 MiB. An entry whose bytes are in the list is one part.
//
// Not thread-safe: the part queue's lock guards it. The list may grow meanwhile.
class PartPlan {
 public:
  // An Error of kind kInvalidArgument when the order is out of its bounds.
  PartPlan(const PlanOptions& options, std::shared_ptr<const ObjectList> list);

  // Starts over, with the order of `epoch`. Before the first call it is that of epoch 0. An epoch
  // that has no such start ends there, with a failure.
  void Begin(uint64_t epoch, PlanStart start = {});

  enum class State {
    kPart,     // *next is the part to fetch next
    kWaiting,  // what can be cut of the list so far was cut; more may be added
    kEnd,      // every object was cut and no more will come
  };
  // Looks at the next part without moving on. `part_bytes`, at least 1, may differ from call to
  // call. An Error as EpochOrder::Peek throws it.
  State Peek(size_t part_bytes, PartSpec* next);
  // Moves past the part that Peek gave.
  void Advance(const PartSpec& part);
  // Moves past what is left of this object, if it has been begun.
  void LeaveObject(uint64_t object_index);
  // Whether this is no epoch, but a range of the list.
  bool ranged() const { return ranged_; }

  // How many objects of this epoch were moved past, those without a part included: at kEnd, all.
  uint64_t objects() const { return order_.passed(); }
  // What kept the list from being completed, or the epoch from beginning where it should.
  std::optional<Error> failure() const {
    return start_failure_ ? start_failure_ : list_->failure();
  }

 private:
  State FindStart();
  State FailStart(Error failure);
  size_t NextSize(const ObjectRef& object, size_t part_bytes) const;

  const size_t first_part_bytes_;
  const bool keep_empty_;
  const std::shared_ptr<const ObjectList> list_;
  EpochOrder order_;
  uint64_t offset_ = 0;  // in the order's next object
  bool ranged_ = false;
  bool at_start_ = true;            // nothing was fetched in this epoch
  std::optional<PlanStart> start_;  // until it is found
  std::optional<Error> start_failure_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_PLAN_H_
