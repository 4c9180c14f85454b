// What is said over a ring's socket: JSON objects, one to a packet.
//
// Who connects says hello:
//   {"version": 1, "want": "epoch", "resume": {position} | null, "objects": [first, count] | null}
//   {"version": 1, "want": "lease" | "next" | "count"}
// and may be told, in this order:
//   {"busy": 4242}                       the process whose turn it is; again whenever that changes
//   {"head": {"number": 3, "epoch": 5, "settings": "..."}}    with the ring and the two eventfds
//   {"outcome": {...}}                   feed_status.h's; every byte of it is in the ring by then
// or, to the other questions, {"next": {"epoch": 6, "settings": "..."}} or {"count": 1000}, and to
// each of them {"error": {"kind": "...", "message": "..."}}.
#ifndef SMTF_RING_RING_MESSAGES_H_
#define SMTF_RING_RING_MESSAGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "errors.h"
#include "pipe/feed_status.h"
#include "pipe/object_range.h"
#include "pipe/stream_position.h"

namespace smtf {

struct RingHello {
  enum class Want {
    kEpoch,
    kLease,
    kNext,   // which epoch the next reader gets
    kCount,  // of the units in the list, once it is complete
  };
  Want want = Want::kEpoch;
  std::optional<StreamPosition> resume;
  std::optional<ObjectRange> objects;
};

struct RingHead {
  uint64_t number = 0;  // of the ring's epochs, from 0
  uint64_t epoch = 0;   // of the data
  std::string settings;
};

// Whose turn it is; 0 where that cannot be known.
struct RingBusy {
  int64_t pid = 0;
};

struct RingCount {
  uint64_t units = 0;
};

// What is said, in the order above. StreamPosition is the beginning of the next reader's epoch.
using RingAnswer = std::variant<RingBusy, RingHead, Outcome, StreamPosition, RingCount, Error>;

std::string FormatHello(const RingHello& hello);
// An Error of kind kInvalidArgument for anything else.
RingHello ParseHello(const std::string& text);

std::string FormatBusy(int64_t pid);
std::string FormatHead(const RingHead& head);
std::string FormatEnd(const Outcome& outcome);
std::string FormatNext(const StreamPosition& next);
std::string FormatCount(uint64_t count);
std::string FormatError(const Error& error);
// An Error of kind kDataLoss for anything else.
RingAnswer ParseAnswer(const std::string& text);

}  // namespace smtf

#endif  // SMTF_RING_RING_MESSAGES_H_
