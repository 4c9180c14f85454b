// What a feed is told: which channel, where to, how to fetch and what to make of the objects.
#ifndef SMTF_PREFETCH_FEED_OPTIONS_H_
#define SMTF_PREFETCH_FEED_OPTIONS_H_

#include <optional>
#include <string>

#include "encoding/object_encoder.h"
#include "errors.h"
#include "pipe/stream_position.h"
#include "prefetch/part_queue.h"

namespace smtf {

struct FeedOptions {
  std::string channel;
  // Where its FIFOs are made; or, for a ring in shared memory, the address that it has.
  std::string pipe_dir;
  std::string ring_address;
  double stall_seconds = 20;
  PartQueueOptions queue;
  EncodingOptions encoding;
};

// The same options. An Error of kind kInvalidArgument when one is out of its bounds.
FeedOptions Checked(FeedOptions options);

// What decides the stream beside the objects, in words.
std::string DescribeSettings(const FeedOptions& options);

// Why no reader of such a channel may begin with some objects only; nothing where it may.
std::optional<Error> RefuseObjects(const FeedOptions& options);
// Why none can go on there, whatever the objects are. `what` is said first.
std::optional<Error> RefusePosition(const FeedOptions& options, const StreamPosition& position,
                                    const std::string& what);

}  // namespace smtf

#endif  // SMTF_PREFETCH_FEED_OPTIONS_H_
