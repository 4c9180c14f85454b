// A prefetcher's claim on a channel: the writing side of feed_status.h.
#ifndef SMTF_PIPE_FEED_CLAIM_H_
#define SMTF_PIPE_FEED_CLAIM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipe/feed_status.h"
#include "pipe/object_log.h"
#include "pipe/resume_request.h"

namespace smtf {

// The writing side: a channel's claim on its pipe directory. Used by one thread at a time.
class FeedClaim {
 public:
  // Takes the channel, removes what an earlier prefetcher left of it and announces this one. An
  // Error of kind kFailedPrecondition when a live prefetcher has it, kInvalidArgument when
  // something that is not a FIFO is in the way.
  FeedClaim(std::string pipe_dir, std::string channel);
  // Gives the channel back: removes the FIFOs, the logs, which who reads one has open, and the
  // claim. Keeps the outcomes, which a reader may still want.
  ~FeedClaim();
  FeedClaim(const FeedClaim&) = delete;
  FeedClaim& operator=(const FeedClaim&) = delete;

  // Announces the epoch and makes its FIFO (mode 0600), in that order. Returns the FIFO's path.
  std::string BeginEpoch(uint64_t epoch);
  // What the pipe's reader, which has come, asked for, if it asked for anything.
  std::optional<ResumeRequest> TakeRequest(uint64_t epoch);
  // Begins the log of the objects in this pipe.
  std::unique_ptr<ObjectLogWriter> LogObjects(uint64_t epoch, const ObjectLogHead& head);
  // Records how the epoch ended. Call it before the FIFO is closed.
  void RecordOutcome(uint64_t epoch, const Outcome& outcome);
  // Removes the epoch's FIFO. Call it after the next epoch has begun, so that a reader never finds
  // neither.
  void RemoveFifo(uint64_t epoch);

 private:
  // How many epochs back an outcome is kept, for readers that come late.
  static constexpr uint64_t kOutcomesKept = 64;
  // The same for logs of objects, which may be large: the reader's, and the next one's.
  static constexpr uint64_t kLogsKept = 2;

  std::vector<std::string> EpochFiles(const std::string& suffix, const std::string& prefix) const;
  void RemoveLeftovers();
  void MakeTurn() const;
  void KeepTurn() const;

  std::string pipe_dir_;
  std::string channel_;
  int lock_fd_ = -1;
};

}  // namespace smtf

#endif  // SMTF_PIPE_FEED_CLAIM_H_
