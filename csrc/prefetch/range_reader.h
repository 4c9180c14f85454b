// Reads single ranges of objects, as they are wanted: what a file system does.
#ifndef SMTF_PREFETCH_RANGE_READER_H_
#define SMTF_PREFETCH_RANGE_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "prefetch/object_source.h"
#include "prefetch/retry_policy.h"

namespace smtf {

// One thread's way to the objects, with the retries and checksums of a feed but no queue: the
// caller knows what comes next, and has as many readers as it wants fetches at a time.
//
// Not thread-safe. Read cannot be broken off.
class RangeReader {
 public:
  // `source` must outlive it.
  RangeReader(ObjectSource* source, const FetchLimits& limits, const RetryLimits& retry,
              uint64_t seed);

  // Puts bytes [offset, offset + size) of an object at dst; `size` is at least 1 and the range lies
  // within the object. Blocks until they are there or the retries are used up, and throws an Error
  // then that names object, range and what was seen; what is at dst is of no use in that case.
  void Read(const ObjectRef& object, uint64_t offset, char* dst, size_t size);

 private:
  ObjectSource& source_;
  const std::unique_ptr<ObjectFetcher> fetcher_;
  RetryPolicy retry_policy_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_RANGE_READER_H_
