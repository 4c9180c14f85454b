// One channel, streamed into its FIFOs epoch after epoch.
#ifndef SMTF_PREFETCH_FEED_H_
#define SMTF_PREFETCH_FEED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "encoding/object_encoder.h"
#include "errors.h"
#include "pipe/feed_claim.h"
#include "pipe/fifo_writer.h"
#include "pipe/object_log.h"
#include "pipe/resume_request.h"
#include "pipe/wakeup.h"
#include "prefetch/object_list.h"
#include "prefetch/object_source.h"
#include "prefetch/object_verifier.h"
#include "prefetch/part_fetchers.h"
#include "prefetch/part_queue.h"
#include "prefetch/stats.h"

namespace smtf {

struct FeedOptions {
  std::string channel;
  std::string pipe_dir;
  double stall_seconds = 20;
  PartQueueOptions queue;
  EncodingOptions encoding;
};

// Fetching threads get parts of the objects; one feeding thread puts them into FIFO after FIFO.
//
// Epoch e: its FIFO is made, and fetching begins while its reader is awaited. What the reader gets
// is the channel's objects in the epoch's order, encoded as the options say. A reader that closes
// early ends the epoch; the next begins. An object that cannot be fetched, or a list that cannot be
// completed, is recorded in the epoch's outcome, with every byte before it delivered, and the pipe
// is closed. The epoch after that is fetched only when its reader comes, and an error found before
// a reader came is forgotten when it does: nobody is told of trouble that is over.
//
// A reader may ask for another epoch of the data, or for its rest from some object and byte on
// (pipe/resume_request.h). The pipes are numbered on as before; those after it have the epochs
// after the one that was asked for.
//
// Where objects are framed one that cannot be had ends with its error within the stream, and the
// next follows.
//
// All methods are thread-safe.
class Feed {
 public:
  // Claims the channel. An Error of kind kFailedPrecondition when another live prefetcher has it,
  // kInvalidArgument when an option is out of its bounds.
  Feed(FeedOptions options, std::shared_ptr<ObjectSource> source,
       std::shared_ptr<ObjectList> objects);
  // Stops.
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // Makes the first FIFO and starts the threads. Once.
  void Start();

  // Ends the epoch under way with an error for its reader, joins the threads and gives the channel
  // back. Idempotent; a second caller waits for the first. Waits for no reader and no server.
  void Stop();

  // Throws the Error that ended the feeding thread, if one did: the pipe directory is gone, say. An
  // object's error does not end it.
  Stats stats() const;

 private:
  // How an epoch ended, and what the next has to know of it.
  enum class End { kDone, kAbandoned, kError };

  void StartFeeding();
  void FeedEpochs();
  void EndFeeding(const Error& error);
  std::optional<Error> AwaitReader(FifoWriter* writer);
  std::optional<Error> Resume(const ResumeRequest& request);
  std::optional<Error> CheckObject(const StreamPosition& position, const ObjectRef& object) const;
  std::string NameOf(const ObjectRef& object) const;
  std::string Fingerprint() const;
  void BeginLog(const std::string& request);
  void GiveUpLog(const Error& error);
  void BeginObject(const FifoWriter& writer, const PartSpec& spec);
  // Of the data, in this epoch's pipe.
  uint64_t DataEpoch() const { return epoch_ + ahead_; }
  End FeedEpoch(FifoWriter* writer);
  void BeginNextEpoch();
  End Abandon(const FifoWriter& writer);
  bool WritePart(FifoWriter* writer, const std::shared_ptr<Part>& part);
  bool SkipObject(FifoWriter* writer, const PartSpec& spec, const Error& error);
  bool Verified(const std::shared_ptr<Part>& part);
  bool Encode(FifoWriter* writer, const std::shared_ptr<Part>& part);
  bool MayFailAlone(const Part& part) const;
  void CountObjects(uint64_t ended);
  End FinishEpoch(FifoWriter* writer, const PartQueue::Popped& end);
  End FailEpoch(FifoWriter* writer, const Error& error);
  End Record(const FifoWriter& writer, Outcome::State state, const Error* error);
  void RecordEnd(const FifoWriter& writer, const Error& error);
  Error PartError(const Part& part) const;
  std::string DescribeEpoch() const;

  const FeedOptions options_;
  const std::shared_ptr<ObjectSource> source_;
  const std::shared_ptr<ObjectList> objects_;
  Wakeup stop_;
  PartQueue queue_;
  PartFetchers fetchers_;
  std::mutex lifecycle_mutex_;  // Start and Stop
  bool started_ = false;
  std::optional<FeedClaim> claim_;  // the feeding thread's while that runs
  std::thread feeding_;

  // Of the feeding thread.
  ObjectVerifier verifier_;
  const std::unique_ptr<ObjectEncoder> encoder_;
  uint64_t epoch_ = 0;          // in the pipe's name
  uint64_t ahead_ = 0;          // of that, the epoch of the data; modulo 2^64
  uint64_t ahead_before_ = 0;   // the request of this epoch
  uint64_t objects_begun_ = 0;  // in this epoch
  uint64_t objects_ended_ = 0;
  std::string fifo_path_;
  bool fetch_ahead_ = true;  // before the reader comes
  const std::string settings_;
  std::unique_ptr<ObjectLogWriter> log_;   // null where objects are framed
  std::optional<StreamPosition> resumed_;  // until its object has begun
  uint64_t discard_ = 0;                   // bytes of that object's stream that the reader has had
  std::string fingerprint_;                // once an object has begun, where there is one

  mutable std::mutex stats_mutex_;
  Stats stats_;                 // the feeding thread's share
  std::optional<Error> fatal_;  // what ended the feeding thread
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_FEED_H_
