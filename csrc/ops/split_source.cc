#include "ops/split_source.h"

#include <utility>

namespace smtf {

SplitSource::SplitSource(RingSourceOptions options, NextObject next, const Wakeup* cancel)
    : options_(std::move(options)), next_(std::move(next)), cancel_(cancel) {}

size_t SplitSource::Read(char* dst, size_t max) { return ReadScatter(dst, max, nullptr, 0); }

size_t SplitSource::ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) {
  begun_ = true;
  while (object_ || OpenNext()) {
    const size_t got = object_->ReadScatter(dst, max, spill, spill_max);
    stalled_ms_.store(stalled_before_ + object_->stalled().count());
    bytes_read_ += got;
    if (got > 0) return got;
    stalled_before_ = stalled_ms_.load();
    object_.reset();
  }
  return 0;
}

bool SplitSource::OpenNext() {
  const std::optional<uint64_t> index = next_();
  if (!index) return false;
  RingSourceOptions options = options_;
  options.objects = ObjectRange{*index, 1};
  object_.emplace(std::move(options), cancel_);
  object_at_ = bytes_read_;
  return true;
}

std::optional<StreamPosition> SplitSource::LookAhead(uint64_t offset) const {
  if (!object_ || offset < object_at_) return std::nullopt;
  return object_->LookAhead(offset - object_at_);
}

std::string SplitSource::Describe() const {
  return object_ ? object_->Describe() : "the objects of channel " + options_.channel;
}

std::optional<uint64_t> SplitSource::epoch() const {
  return begun_ ? std::optional<uint64_t>(0) : std::nullopt;
}

}  // namespace smtf
