// The plan of the epoch that is popped and, once all of it is planned, of the next one.
#ifndef SMTF_PREFETCH_EPOCH_PLAN_H_
#define SMTF_PREFETCH_EPOCH_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "errors.h"
#include "prefetch/object_list.h"
#include "prefetch/part_plan.h"

namespace smtf {

// One epoch ahead, no further. Not thread-safe: the part queue's lock guards it.
class EpochPlan {
 public:
  struct End {
    uint64_t objects = 0;          // of the epoch
    std::optional<Error> failure;  // what kept the list from being completed
  };

  // An Error as PartPlan's constructor throws it.
  EpochPlan(const PlanOptions& options, std::shared_ptr<const ObjectList> list, bool plan_next);

  // Starts over with this epoch.
  void Begin(uint64_t epoch, PlanStart start = {});
  // Nothing is planned until Begin.
  void Drop();
  // Pops this epoch from now on, keeping what was planned of it. False, and nothing is changed, if
  // it is not the one behind an epoch whose end was popped.
  bool GoOn(uint64_t epoch);

  bool begun() const { return begun_; }
  uint64_t popping() const { return popping_; }
  uint64_t planning() const { return planning_; }  // that one, or the next

  // As PartPlan's, for the epoch that is planned.
  PartPlan::State Peek(size_t part_bytes, PartSpec* next) { return plan_.Peek(part_bytes, next); }
  void Advance(const PartSpec& part) { plan_.Advance(part); }
  // After kEnd: plans the next epoch. False where there is nothing to plan: a list that failed, an
  // epoch without objects, the next epoch as well, or because it is not wanted.
  bool PlanNext();

  // Of the epoch that is popped: what is left of this object is not planned.
  void LeaveObject(uint64_t object_index);
  // For when no part of the epoch that is popped is left: its end, or nothing if more may be
  // planned.
  std::optional<End> TryEnd(size_t part_bytes);

 private:
  PartPlan plan_;
  const bool plan_next_;
  bool begun_ = false;
  uint64_t popping_ = 0;
  bool ended_ = false;  // TryEnd said so of that epoch
  uint64_t planning_ = 0;
  uint64_t objects_of_popping_ = 0;  // once the next is planned
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_EPOCH_PLAN_H_
