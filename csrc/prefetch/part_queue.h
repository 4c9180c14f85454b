// Parts in the order of the stream: planned, fetched by many workers, taken by one feeder.
#ifndef SMTF_PREFETCH_PART_QUEUE_H_
#define SMTF_PREFETCH_PART_QUEUE_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "errors.h"
#include "prefetch/buffer_pool.h"
#include "prefetch/epoch_plan.h"
#include "prefetch/fetches_under_way.h"
#include "prefetch/hedges.h"
#include "prefetch/object_list.h"
#include "prefetch/part.h"
#include "prefetch/part_plan.h"
#include "prefetch/part_window.h"
#include "prefetch/retry_policy.h"
#include "prefetch/retry_schedule.h"
#include "prefetch/stats.h"
#include "prefetch/transfer_tuner.h"

namespace smtf {

struct PartQueueOptions {
  PlanOptions plan;
  TunerOptions tuner;  // its memory_bytes bounds the buffers: at least one part's
  RetryLimits retry;
  bool hedging = true;
  // Fetch the beginning of the next epoch while this one ends.
  bool plan_next_epoch = true;
};

// Thread-safe: workers call Take and Put, one feeder calls BeginEpoch, Pop and Reject, anybody the
// rest.
//
// A part gets its buffer when it is planned and keeps it over its retries, and parts are planned in
// order. So the part at the head always has what it needs, however full the budget is with later
// ones. A part that waits for its retry is in nobody's hands: its worker fetches something else.
//
// Once every part of an epoch is planned those of the next one are, so that its first bytes are
// there when it begins. One epoch ahead, no further.
//
// No more fetches are under way than the tuner allows. A fetch that is much slower than the others
// is made a second time, and the faster one counts; where there is no memory for that it is broken
// off and what is missing is asked for again.
class PartQueue {
 public:
  // Buffers are in `memory`, as BufferPool takes it.
  PartQueue(const PartQueueOptions& options, std::shared_ptr<ObjectList> objects,
            std::shared_ptr<BufferMemory> memory = nullptr);

  // After the end of the epoch before was popped, or where nothing of this one was yet: goes on
  // with what was fetched of it. At any other time drops everything, stops the fetches and starts
  // over from this epoch's first object. Nothing is fetched before the first call.
  void BeginEpoch(uint64_t epoch);
  // Drops everything and starts over, with an epoch that begins in its middle. Where it cannot, it
  // ends with a failure of its list.
  void ResumeEpoch(uint64_t epoch, PlanStart start);
  // Only drops: nothing is fetched until BeginEpoch.
  void DropEpoch();
  // Whether a part of this epoch was given up.
  bool EpochFailed() const;

  // Blocks until there is a part for `fetcher` to fetch; null after Stop. Give it back with Put.
  std::shared_ptr<Part> Take(ObjectFetcher* fetcher);
  void Put(std::shared_ptr<Part> part, FetchResult result);
  // How many fetches may be under way now, and so how many workers are of use.
  int most_fetches() const { return most_fetches_; }

  struct Popped {
    enum class What {
      kPart,     // `part` is the next of the stream
      kEnd,      // there is no more in this epoch, and `objects` there were
      kFailed,   // `part` would be the next and was given up
      kStarved,  // the next part has no buffer, because all are lent to the pipe: get them back
      kLeft,     // nobody waits for the next part any more
      kStopped,
    };
    What what;
    std::shared_ptr<Part> part;
    uint64_t objects = 0;
    // With kEnd: what kept the list from being completed, or the epoch from being resumed.
    std::optional<Error> list_failure;
  };
  // Blocks until one of these is so. While it does, `left` is asked a few times a second whether
  // the reader is gone; where it is null nobody can tell.
  Popped Pop(const std::function<bool()>& left = nullptr);
  // The part that was popped last is not what it should be: it is fetched anew, or given up as
  // `failure` says, and popped again.
  void Reject(std::shared_ptr<Part> part, FetchResult failure);

  // After a part of this object, of this epoch, was popped: what is left of it is not fetched, and
  // the next to be popped is the first part of the object behind it.
  void SkipObject(uint64_t object_index);

  // Ends every wait, now and later, and the fetches under way.
  void Stop();

  // Adds the queue's share.
  void AddTo(Stats* stats) const;

 private:
  using Clock = Part::Clock;
  using Lock = std::unique_lock<std::mutex>;

  std::shared_ptr<Part> TakeAllowed();
  std::shared_ptr<Part> TakeNew();
  bool MoreMayBegin() const;
  void NoteStarved();
  void WaitForWork(Lock* lock);
  void Unlock(Lock* lock);

  void Note(const Part& part, const FetchResult& result);
  void Settle(const std::shared_ptr<Part>& part, FetchResult result);
  void SettleDone(const std::shared_ptr<Part>& part);
  void Drop(const std::shared_ptr<Part>& part);
  void RetryOrFail(const std::shared_ptr<Part>& part, FetchResult failure);
  void Wait(const std::shared_ptr<Part>& part, double seconds);

  bool TryPop(Popped* popped);
  bool TryPopEnd(Popped* popped);
  void Restart(std::optional<uint64_t> epoch, PlanStart start = {});
  void OnBufferReturn();
  void OnObjects();

  mutable std::mutex mutex_;
  std::condition_variable work_;   // for workers
  std::condition_variable ready_;  // for the feeder
  const std::shared_ptr<ObjectList> objects_;
  BufferPool pool_;
  EpochPlan plan_;
  bool untouched_ = false;  // it begins with its first object, and nothing of it was popped
  RetryPolicy retry_policy_;
  TransferTuner tuner_;
  Hedges hedges_;
  std::atomic<int> most_fetches_;  // the tuner's, for those without the lock
  bool stopped_ = false;
  bool failed_ = false;   // a part of this epoch was given up: nothing behind it is wanted
  bool starved_ = false;  // a part could not be planned for want of a buffer
  int idle_workers_ = 0;
  int watchers_ = 0;          // of them, for fetches that turn out to be slow: one or none
  bool tell_reader_ = false;  // when the lock is given up
  bool tell_worker_ = false;
  size_t planned_size_ = 0;  // of the part that was planned last, or would have been
  PartWindow window_;
  RetrySchedule waiting_;
  FetchesUnderWay fetching_;
  std::vector<std::shared_ptr<Part>> released_;  // to be destroyed without the lock
  Stats counts_;
  // Last, so that nothing is called once the rest is gone.
  const ObjectList::Subscription subscription_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_QUEUE_H_
