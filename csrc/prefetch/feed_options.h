// What a feed is told: which channel, where to, how to fetch and what to make of the objects.
#ifndef SMTF_PREFETCH_FEED_OPTIONS_H_
#define SMTF_PREFETCH_FEED_OPTIONS_H_

#include <string>

#include "encoding/object_encoder.h"
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

}  // namespace smtf

#endif  // SMTF_PREFETCH_FEED_OPTIONS_H_
