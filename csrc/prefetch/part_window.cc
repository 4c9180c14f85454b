#include "prefetch/part_window.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "prefetch/object_list.h"

namespace smtf {
namespace {

// At least so many parts beyond those that are on their way are fetched ahead of the head.
constexpr size_t kPartsAhead = 2;

}  // namespace

bool PartWindow::AnyFailed() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const auto& part) { return part->state == Part::State::kFailed; });
}

// While the head is on its way, or waits for the reader, the others do not run ahead of it for as
// long as the memory lasts: fresh memory costs more than the bytes that are fetched into it. A head
// that is in trouble they do not wait for.
bool PartWindow::FarEnoughAhead(size_t size, const TransferTuner& tuner,
                                const BufferPool& pool) const {
  if (empty()) return false;
  const Part& first = *head();
  if (first.state == Part::State::kReady) return pool.lent_bytes() + size > tuner.ready_bytes();
  if (first.state != Part::State::kFetching || first.hedged || first.tries > 1) return false;
  const size_t parts = static_cast<size_t>(tuner.most_fetches()) + kPartsAhead;
  return parts_.size() > parts && pool.lent_bytes() + size > tuner.ahead_bytes();
}

const std::shared_ptr<Part>& PartWindow::Add(const PartSpec& spec, Buffer buffer, uint64_t epoch) {
  parts_.push_back(std::make_shared<Part>(spec, std::move(buffer)));
  Part* const part = parts_.back().get();
  part->epoch = epoch;
  if (spec.size == 0 || spec.object.source == kInlineSource) {
    part->filled = spec.size;
    if (spec.size > 0) {
      std::memcpy(part->buffer.data(), spec.object.name.data() + spec.offset, spec.size);
    }
    SetReady(part);
  }
  return parts_.back();
}

void PartWindow::AddFailed(const PartSpec& spec, const Error& error, uint64_t epoch) {
  auto part = std::make_shared<Part>(spec, Buffer());
  part->state = Part::State::kFailed;
  part->failure.status = FetchResult::Status::kFailed;
  part->failure.kind = error.kind();
  part->failure.what = error.what();
  part->epoch = epoch;
  parts_.push_back(std::move(part));
}

void PartWindow::PutBack(std::shared_ptr<Part> part) {
  part->filled = 0;
  part->state = Part::State::kWaiting;
  parts_.push_front(std::move(part));
}

void PartWindow::SetReady(Part* part) {
  part->state = Part::State::kReady;
  ready_bytes_ += part->filled;
  ++ready_parts_;
}

void PartWindow::Replace(const Part& part, std::shared_ptr<Part> replacement) {
  const auto place = std::find_if(parts_.begin(), parts_.end(),
                                  [&part](const auto& planned) { return planned.get() == &part; });
  *place = std::move(replacement);
}

std::shared_ptr<Part> PartWindow::Pop() {
  std::shared_ptr<Part> part = std::move(parts_.front());
  parts_.pop_front();
  if (part->state == Part::State::kReady) {
    ready_bytes_ -= part->filled;
    --ready_parts_;
  }
  return part;
}

std::vector<std::shared_ptr<Part>> PartWindow::TakeObject(uint64_t epoch, uint64_t object_index) {
  std::vector<std::shared_ptr<Part>> taken;
  while (!empty() && head()->epoch == epoch && head()->spec.object_index == object_index) {
    taken.push_back(Pop());
  }
  return taken;
}

std::deque<std::shared_ptr<Part>> PartWindow::TakeAll() {
  ready_bytes_ = ready_parts_ = 0;
  return std::exchange(parts_, {});
}

}  // namespace smtf
