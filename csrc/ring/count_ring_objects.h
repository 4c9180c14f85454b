// How much there is to deal out.
#ifndef SMTF_RING_COUNT_RING_OBJECTS_H_
#define SMTF_RING_COUNT_RING_OBJECTS_H_

#include <cstdint>

#include "pipe/wakeup.h"
#include "ring/ring_call.h"

namespace smtf {

// How many objects, in groups where they are grouped, the channel's list has once it is complete,
// which is waited for. Errors as RingCall has them.
uint64_t CountRingObjects(RingCallOptions options, const Wakeup* cancel);

}  // namespace smtf

#endif  // SMTF_RING_COUNT_RING_OBJECTS_H_
