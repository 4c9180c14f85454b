#include "prefetch/part_plan.h"

#include <algorithm>
#include <string>
#include <utility>

namespace smtf {

PartPlan::PartPlan(const PlanOptions& options, std::shared_ptr<const ObjectList> list)
    : first_part_bytes_(options.first_part_bytes),
      keep_empty_(options.keep_empty),
      list_(std::move(list)),
      order_(options.order, list_) {}

void PartPlan::Begin(uint64_t epoch, PlanStart start) {
  ranged_ = start.only.has_value();
  order_.Begin(epoch, start.only);
  offset_ = 0;
  at_start_ = true;
  start_.reset();
  if (start.objects > 0 || start.offset > 0 || start.check) start_ = std::move(start);
  start_failure_.reset();
}

PartPlan::State PartPlan::Peek(size_t part_bytes, PartSpec* next) {
  if (start_failure_) return State::kEnd;
  if (start_) {
    const State state = FindStart();
    if (state != State::kPart) return state;
  }
  for (;;) {
    size_t index;
    const EpochOrder::State state = order_.Peek(&index);
    if (state == EpochOrder::State::kWaiting) return State::kWaiting;
    if (state == EpochOrder::State::kEnd) return State::kEnd;
    const ObjectRef object = (*list_)[index];
    if (object.size > 0 || keep_empty_) {
      const size_t size = NextSize(object, part_bytes);
      const bool ends_object = offset_ + size == object.size;
      *next = {object, order_.passed(), offset_, size, offset_ == 0, ends_object};
      return State::kPart;
    }
    order_.Advance();
  }
}

// kPart once it is found.
PartPlan::State PartPlan::FindStart() {
  for (;;) {
    size_t index;
    const EpochOrder::State state = order_.Peek(&index);
    if (state == EpochOrder::State::kWaiting) return State::kWaiting;
    if (state == EpochOrder::State::kEnd) {
      if (list_->failure()) return State::kEnd;
      return FailStart(
          Error(ErrorKind::kFailedPrecondition, "the epoch has " + std::to_string(order_.passed()) +
                                                    " objects and should go on in number " +
                                                    std::to_string(start_->objects)));
    }
    if (order_.passed() == start_->objects) {
      const ObjectRef object = (*list_)[index];
      std::optional<Error> failure = start_->check ? start_->check(object) : std::nullopt;
      if (failure) return FailStart(*std::move(failure));
      if (start_->offset > object.size && !start_->whole_object) {
        return FailStart(
            Error(ErrorKind::kFailedPrecondition, "the object has " + std::to_string(object.size) +
                                                      " bytes and should go on at byte " +
                                                      std::to_string(start_->offset)));
      }
      if (start_->offset == object.size && !start_->whole_object) {
        order_.Advance();
      } else if (!start_->whole_object && object.source != kInlineSource) {
        offset_ = start_->offset;
      }
      start_.reset();
      return State::kPart;
    }
    order_.Advance();
  }
}

PartPlan::State PartPlan::FailStart(Error failure) {
  start_failure_ = std::move(failure);
  return State::kEnd;
}

size_t PartPlan::NextSize(const ObjectRef& object, size_t part_bytes) const {
  if (object.source == kInlineSource) return object.size;
  const uint64_t whole = part_bytes - offset_ % part_bytes;
  const uint64_t most = at_start_ ? std::min<uint64_t>(whole, first_part_bytes_) : whole;
  return std::min(most, object.size - offset_);
}

void PartPlan::Advance(const PartSpec& part) {
  if (part.size > 0 && part.object.source != kInlineSource) at_start_ = false;
  offset_ = part.offset + part.size;
  if (!part.ends_object) return;
  offset_ = 0;
  order_.Advance();
}

void PartPlan::LeaveObject(uint64_t object_index) {
  if (offset_ == 0 || order_.passed() != object_index) return;
  offset_ = 0;
  order_.Advance();
}

}  // namespace smtf
