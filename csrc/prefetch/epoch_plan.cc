#include "prefetch/epoch_plan.h"

#include <utility>

namespace smtf {

EpochPlan::EpochPlan(const PlanOptions& options, std::shared_ptr<const ObjectList> list,
                     bool plan_next)
    : plan_(options, std::move(list)), plan_next_(plan_next) {}

void EpochPlan::Begin(uint64_t epoch, PlanStart start) {
  plan_.Begin(epoch, std::move(start));
  popping_ = planning_ = epoch;
  begun_ = true;
  ended_ = false;
}

void EpochPlan::Drop() { begun_ = ended_ = false; }

bool EpochPlan::GoOn(uint64_t epoch) {
  if (!ended_ || planning_ != epoch || epoch != popping_ + 1) return false;
  popping_ = epoch;
  ended_ = false;
  return true;
}

bool EpochPlan::PlanNext() {
  if (!plan_next_ || plan_.ranged() || planning_ != popping_ || plan_.failure() ||
      plan_.objects() == 0)
    return false;
  objects_of_popping_ = plan_.objects();
  plan_.Begin(++planning_);
  return true;
}

void EpochPlan::LeaveObject(uint64_t object_index) {
  if (planning_ == popping_) plan_.LeaveObject(object_index);
}

std::optional<EpochPlan::End> EpochPlan::TryEnd(size_t part_bytes) {
  End end;
  if (planning_ != popping_) {
    end.objects = objects_of_popping_;
  } else {
    PartSpec unused;
    if (plan_.Peek(part_bytes, &unused) != PartPlan::State::kEnd) return std::nullopt;
    end = {plan_.objects(), plan_.failure()};
  }
  ended_ = true;
  return end;
}

}  // namespace smtf
