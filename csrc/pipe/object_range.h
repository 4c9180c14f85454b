// Some of a channel's objects, for readers that deal them out among themselves.
#ifndef SMTF_PIPE_OBJECT_RANGE_H_
#define SMTF_PIPE_OBJECT_RANGE_H_

#include <cstdint>

namespace smtf {

// `count` units of the list from `first` on. A unit is an object, or a group of them that stays
// together (prefetch/epoch_order.h).
struct ObjectRange {
  // A list has fewer units.
  static constexpr uint64_t kMost = uint64_t{1} << 40;

  uint64_t first = 0;
  uint64_t count = 0;
};

}  // namespace smtf

#endif  // SMTF_PIPE_OBJECT_RANGE_H_
