#include "ring/ring_objects.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "errors.h"

namespace smtf {

void RingObjects::Begin(uint64_t epoch, std::string settings) {
  begun_.epoch = epoch;
  begun_.settings = std::move(settings);
}

void RingObjects::Add(uint64_t at, std::string_view text) {
  // One without bytes gives way to the next: that is where a reader of this offset is.
  if (!objects_.empty() && objects_.back().at == at) objects_.pop_back();
  objects_.push_back({at, std::string(text)});
}

void RingObjects::Forget(uint64_t offset) {
  while (objects_.size() > 1 && objects_[1].at <= offset) objects_.pop_front();
}

StreamPosition RingObjects::PositionAt(uint64_t offset) const {
  const auto behind = std::upper_bound(objects_.begin(), objects_.end(), offset,
                                       [](uint64_t at, const Object& o) { return at < o.at; });
  if (behind == objects_.begin()) return begun_;
  const Object& object = *std::prev(behind);
  try {
    StreamPosition position = ParsePosition(object.text);
    position.epoch = begun_.epoch;
    position.settings = begun_.settings;
    position.offset += offset - object.at;
    return position;
  } catch (const std::exception& error) {
    throw Error(ErrorKind::kDataLoss, std::string("reading where an object begins: ") +
                                          error.what() + "; the prefetcher's ring is broken");
  }
}

}  // namespace smtf
