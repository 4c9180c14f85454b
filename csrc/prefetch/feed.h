// One channel, streamed to its readers epoch after epoch.
#ifndef SMTF_PREFETCH_FEED_H_
#define SMTF_PREFETCH_FEED_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "errors.h"
#include "pipe/epoch_outlet.h"
#include "pipe/stream_position.h"
#include "prefetch/feed_options.h"
#include "prefetch/object_list.h"
#include "prefetch/object_names.h"
#include "prefetch/object_source.h"
#include "prefetch/object_verifier.h"
#include "prefetch/part_encoder.h"
#include "prefetch/part_fetchers.h"
#include "prefetch/part_queue.h"
#include "prefetch/stats.h"

namespace smtf {

// Fetching threads get parts of the objects; one feeding thread puts them into the outlet: FIFO
// after FIFO, or a ring in shared memory for each reader.
//
// Epoch e is announced, and fetching begins while its reader is awaited. What the reader gets is
// the channel's objects in the epoch's order, encoded as the options say. A reader that closes
// early ends the epoch; the next begins. An object that cannot be fetched, or a list that cannot be
// completed, is recorded in the epoch's outcome, with every byte before it delivered. The epoch
// after that is fetched only when its reader comes, and an error found before a reader came is
// forgotten when it does: nobody is told of trouble that is over. A reader that cannot have what it
// asks for uses up no epoch of the data.
//
// A reader may ask for another epoch of the data, or for its rest from some object and byte on. The
// outlet's epochs are numbered on as before; those after it have the epochs of the data after the
// one that was asked for.
//
// Where objects are framed one that cannot be had ends with its error within the stream, and the
// next follows.
//
// All methods are thread-safe.
class Feed {
 public:
  // Claims the channel, or listens at its address. An Error of kind kFailedPrecondition when
  // another live prefetcher has it, kInvalidArgument when an option is out of its bounds.
  Feed(FeedOptions options, std::shared_ptr<ObjectSource> source,
       std::shared_ptr<ObjectList> objects);
  // Stops.
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Announces the first epoch and starts the threads. Once.
  void Start();

  // Ends the epoch under way with an error for its reader, joins the threads and gives the channel
  // back. Idempotent; a second caller waits for the first. Waits for no reader and no server.
  void Stop();

  // Throws the Error that ended the feeding thread, if one did: the pipe directory is gone, say. An
  // object's error does not end it.
  Stats stats() const;

  // How many are connected to the ring: readers, those who wait for their turn, and leases. 0 where
  // there are pipes.
  int connections() const { return outlet_->connections(); }

 private:
  // How an epoch ended, and what the next has to know of it. Forgotten: its reader left it as it
  // was, and it is for the next.
  enum class End { kDone, kAbandoned, kForgotten, kError };

  void StartFeeding();
  void FeedEpochs();
  void EndFeeding(const Error& error);
  std::optional<Error> AwaitReader();
  std::optional<Error> Begin(const ReaderWish& wish);
  std::optional<Error> Resume(const StreamPosition& position, PlanStart start);
  bool ComesAnyway(const StreamPosition& position) const;
  std::optional<Error> Admit();
  void GiveUpPositions(const Error& error);
  // What stats() tells.
  template <typename Change>
  void Note(Change change) {
    const std::lock_guard<std::mutex> lock(stats_mutex_);
    change(&stats_);
  }
  void BeginObject(const PartSpec& spec);
  EpochHead Head() const { return {DataEpoch(), settings_, !options_.encoding.frame_objects}; }
  // Of the data, in this epoch of the outlet.
  uint64_t DataEpoch() const { return epoch_ + ahead_; }
  End FeedEpoch();
  void FetchAhead(uint64_t epoch);
  End Abandon();
  End Forget();
  End RecordLeft();
  bool WritePart(const std::shared_ptr<Part>& part);
  bool SkipObject(const PartSpec& spec, const Error& error);
  bool Verified(const std::shared_ptr<Part>& part);
  bool MayFailAlone(const Part& part) const;
  void CountObjects(uint64_t ended);
  End FinishEpoch(const PartQueue::Popped& end);
  End FailEpoch(const Error& error);
  End Record(Outcome::State state, const Error* error = nullptr);
  void RecordEnd(const Error& error);
  std::string DescribeEpoch() const;

  const FeedOptions options_;
  const std::shared_ptr<ObjectSource> source_;
  const std::shared_ptr<ObjectList> objects_;
  const ObjectNames names_;
  std::atomic<bool> stopping_{false};
  const std::unique_ptr<EpochOutlet> outlet_;  // the feeding thread's while that runs
  PartQueue queue_;
  PartFetchers fetchers_;
  std::mutex lifecycle_mutex_;  // Start and Stop
  bool started_ = false;
  std::thread feeding_;

  // Of the feeding thread.
  ObjectVerifier verifier_;
  PartEncoder encoder_;
  uint64_t epoch_ = 0;          // of the outlet
  uint64_t ahead_ = 0;          // of that, the epoch of the data; modulo 2^64
  uint64_t ahead_before_ = 0;   // this epoch's reader came
  uint64_t objects_begun_ = 0;  // in this epoch
  uint64_t objects_ended_ = 0;
  bool ranged_ = false;       // this reader has some objects, and no epoch
  bool keeps_epoch_ = false;  // what this reader gets uses up no epoch of the data
  bool fetch_ahead_ = true;   // before the reader comes
  const std::string settings_;
  std::optional<StreamPosition> resumed_;  // until its object has begun
  std::string fingerprint_;                // once an object has begun, where there is one

  mutable std::mutex stats_mutex_;
  Stats stats_;                 // the feeding thread's share
  std::optional<Error> fatal_;  // what ended the feeding thread
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FEED_H_
