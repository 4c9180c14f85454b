// What a feed counts.
#ifndef SMTF_PREFETCH_STATS_H_
#define SMTF_PREFETCH_STATS_H_

#include <cstdint>
#include <string>

namespace smtf {

// Since the start, all epochs together. Bytes and seconds.
struct Stats {
  // Counted by the part queue.
  uint64_t bytes_fetched = 0;      // from the source
  uint64_t retries = 0;            // of parts
  uint64_t throttled = 0;          // answers that asked for fewer requests
  uint64_t hedges = 0;             // second fetches of slow parts
  uint64_t hedges_won = 0;         // of those, how many were faster
  uint64_t stalls = 0;             // times that the reader had to wait for a part
  double reader_waited = 0;        // the pipe was open and the next part was not there
  uint64_t queue_bytes = 0;        // of parts that are fetched and not popped yet
  uint64_t queue_parts = 0;        // how many those are
  uint64_t memory_bytes = 0;       // in all part buffers, in use or kept for reuse
  uint64_t connections = 0;        // fetches under way
  uint64_t connections_limit = 0;  // how many the tuner allows now
  uint64_t part_bytes = 0;         // of the parts that are planned now
  uint64_t listed_objects = 0;
  uint64_t listed_bytes = 0;

  // By the queue for objects of one part, by the feeding thread for others.
  uint64_t checksums_verified = 0;

  // Counted by the feeding thread.
  uint64_t bytes_written = 0;  // to the pipes
  uint64_t objects = 0;        // put into a pipe to their end
  uint64_t epoch = 0;          // that is being fed, from 0
  uint64_t epochs_done = 0;    // read to the end
  double feeder_waited = 0;    // the pipe was full or had no reader
  std::string error;           // of the last epoch that failed
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_STATS_H_
