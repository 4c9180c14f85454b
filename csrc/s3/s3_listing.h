// The objects below a prefix, listed with several requests at a time.
#ifndef SMTF_S3_S3_LISTING_H_
#define SMTF_S3_S3_LISTING_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefetch/object_source.h"
#include "prefetch/retry_policy.h"
#include "s3/key_ranges.h"
#include "s3/s3_connection.h"
#include "s3/s3_list_page.h"
#include "s3/s3_object_source.h"

namespace smtf {

// S3 gives 1000 keys to a request, and each page names the next one. So a long listing is cut into
// ranges of keys that are listed at the same time: at the folders that it has, and within those
// that are long, or where there are none, at guessed keys. See KeyRanges for why neither can lose a
// key, and for how much is held in memory.
//
// The first page is emitted as soon as it came. With one connection, or where keys do not come in
// the order of their bytes (directory buckets), pages are asked for one after the other.
class S3Listing {
 public:
  // Called by Run's thread, never with nothing. What the objects view lives until it returns; their
  // source is 0.
  using Emit = std::function<void(std::vector<ObjectRef>)>;

  // Lists the keys that begin with `prefix` and are behind `start_after`, with at most
  // `connections` requests at a time. An Error when a connection cannot be made.
  S3Listing(std::shared_ptr<S3ObjectSource> source, std::string prefix, std::string start_after,
            int connections, const FetchLimits& limits = {}, const RetryLimits& retry = {});
  ~S3Listing();
  S3Listing(const S3Listing&) = delete;
  S3Listing& operator=(const S3Listing&) = delete;

  // Emits every object but directory markers, in the order that S3 has them in, which is that of
  // their bytes, and returns how many. Once. Throws an Error: kCancelled after Stop, otherwise what
  // S3 said, after everything in front of it was emitted; and what `emit` throws.
  uint64_t Run(const Emit& emit);

  // Ends Run, also one that has not begun. Any thread.
  void Stop() noexcept;

 private:
  S3ListPage Ask(S3Connection* connection, const S3ListRequest& request);
  void EmitObjects(const S3ListPage& page, size_t begin, size_t end, const Emit& emit);
  void RunInTurn(S3ListPage page, const Emit& emit);
  void RunInParallel(S3ListPage first, const Emit& emit);
  void EmitRanges(const Emit& emit);
  void Work(S3Connection* connection);
  void List(S3Connection* connection, const KeyRanges::Task& task,
            std::unique_lock<std::mutex>* lock);
  std::vector<std::string> FindCuts(S3Connection* connection, const KeyRanges::Cut& cut);
  std::vector<std::string> FoldersBehind(S3Connection* connection, const std::string& begin,
                                         const std::optional<std::string>& end);

  const std::shared_ptr<S3ObjectSource> source_;
  const std::string prefix_;
  const std::string start_after_;
  const RetryLimits retry_;
  const std::string doing_;  // begins the messages of errors
  std::vector<std::unique_ptr<S3Connection>> connections_;
  uint64_t emitted_ = 0;

  std::atomic<bool> stopped_{false};
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::optional<KeyRanges> ranges_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_LISTING_H_
