// Which objects the bytes of a stream are of, as far as somebody may still ask.
#ifndef SMTF_RING_RING_OBJECTS_H_
#define SMTF_RING_RING_OBJECTS_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "pipe/stream_position.h"

namespace smtf {

// Used by one thread.
class RingObjects {
 public:
  // The epoch of the data, and what else decides it.
  void Begin(uint64_t epoch, std::string settings);
  // At this offset of the stream begins what this JSON text says, a StreamPosition's.
  void Add(uint64_t at, std::string_view text);
  // No offset before this one will be asked for.
  void Forget(uint64_t offset);

  // An Error of kind kDataLoss where that text cannot be read.
  StreamPosition PositionAt(uint64_t offset) const;

 private:
  struct Object {
    uint64_t at;
    std::string text;
  };

  StreamPosition begun_;  // before the first object
  std::deque<Object> objects_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_OBJECTS_H_
