// One kept-alive HTTP/1.1 connection to one bucket: what fetching, asking and listing share.
#ifndef SMTF_S3_S3_CONNECTION_H_
#define SMTF_S3_S3_CONNECTION_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "prefetch/object_source.h"
#include "prefetch/retry_policy.h"
#include "s3/http_head.h"
#include "s3/http_sink.h"
#include "s3/s3_bucket.h"

namespace smtf {

struct S3Request {
  enum class Method { kGet, kHead };
  Method method = Method::kGet;
  std::string_view key;    // not encoded; empty for the bucket itself
  std::string_view query;  // as it is signed: encoded (EncodeQuery), sorted, without the '?'
  // Others than host, authorization and what belongs to it. Names in lower case, in any order;
  // values without control characters, or Send throws.
  std::vector<std::pair<std::string, std::string>> headers;
};

// A small response as a whole.
struct S3Answer {
  HttpHead head;
  std::string body;
};

// Signs with the bucket's credentials of the moment, and sends to the place where the bucket is at
// the moment. Where S3 answers that the bucket is elsewhere, or that the credentials are no good
// and others come in time, the request is sent again; see S3Bucket and S3Credentials.
//
// One thread at a time, but for Nudge. The bucket must outlive it.
class S3Connection {
 public:
  // An Error when the CA bundle cannot be read.
  S3Connection(S3Bucket* bucket, const FetchLimits& limits);
  ~S3Connection();
  S3Connection(const S3Connection&) = delete;
  S3Connection& operator=(const S3Connection&) = delete;

  // The sink gets a successful response (200 or 206) and nothing of what went before it.
  //
  // Blocks until the response ended (kDone, also when the sink broke it off), S3 answered with an
  // error (kRetry or kFailed), the connection broke or no byte came for the stall limit (kRetry),
  // or `stop` was set and Nudge called (kStopped). `bytes` and `checksum` stay empty: they are the
  // sink's to know.
  FetchResult Send(const S3Request& request, HttpSink* sink, const std::atomic<bool>& stop);

  // For small answers: sends until a whole one came. `doing` begins the message of errors: "listing
  // s3://bucket/prefix". Throws an Error: kCancelled when `stop` was set and Nudge called,
  // kNotFound for a 404, otherwise what S3 said or why it cannot be reached, with the tries that
  // were made.
  S3Answer Ask(const S3Request& request, const std::string& doing, const RetryLimits& retry,
               const std::atomic<bool>& stop);

  // Makes a Send or Ask under way look at its stop flag. Any thread, at any time, without blocking.
  void Nudge() noexcept;

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_CONNECTION_H_
