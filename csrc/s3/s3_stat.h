// Sizes and ETags of objects that were named and not listed.
#ifndef SMTF_S3_S3_STAT_H_
#define SMTF_S3_S3_STAT_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "prefetch/retry_policy.h"
#include "s3/s3_bucket.h"

namespace smtf {

struct ObjectStat {
  int64_t size = -1;  // -1 for an object that is not there
  std::string etag;   // with its quotes
};

// Sends a HEAD for each name, over so many connections, each with a thread, and retries. The
// results are in the order of the names. Throws the Error of the first name, in their order, that
// has one; kCancelled when `stop` was set, which is seen within a tenth of a second.
std::vector<ObjectStat> StatObjects(S3Bucket* bucket, const std::vector<std::string>& names,
                                    int connections, const RetryLimits& retry,
                                    const std::atomic<bool>& stop);

}  // namespace smtf

#endif  // SMTF_S3_S3_STAT_H_
