// The threads that fetch a queue's parts, each with its own way to the objects.
#ifndef SMTF_PREFETCH_PART_FETCHERS_H_
#define SMTF_PREFETCH_PART_FETCHERS_H_

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "prefetch/object_source.h"
#include "prefetch/part_queue.h"

namespace smtf {

// As many threads as the queue allows fetches, and more when it allows more. Each verifies what it
// has fetched where the store said what the checksum is: a part that is a whole object is fetched
// again if it is wrong; of other parts the checksum is computed, for whoever sees all of them.
class PartFetchers {
 public:
  // Both must outlive it.
  PartFetchers(PartQueue* queue, ObjectSource* source, const FetchLimits& limits);
  // The queue must have been stopped, if this was started.
  ~PartFetchers() { Join(); }
  PartFetchers(const PartFetchers&) = delete;
  PartFetchers& operator=(const PartFetchers&) = delete;

  // Starts the first threads. An Error when there are no threads or no fetchers to be had.
  void Start();
  // Waits for all threads; call it after PartQueue::Stop. Idempotent.
  void Join();

 private:
  void Grow();
  void StartThread();
  void Work(ObjectFetcher* fetcher);

  PartQueue* const queue_;
  ObjectSource* const source_;
  const FetchLimits limits_;
  std::mutex mutex_;
  bool full_ = false;  // joining, or the system gives no more threads
  std::vector<std::unique_ptr<ObjectFetcher>> fetchers_;
  std::vector<std::thread> threads_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_PART_FETCHERS_H_
