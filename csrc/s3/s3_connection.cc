#include "s3/s3_connection.h"

#include <chrono>
#include <cstdio>
#include <optional>
#include <random>

#include "s3/s3_exchange.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;
using Status = FetchResult::Status;

// A thousand keys of 1 KiB, every byte of them encoded, are 3 MB.
constexpr size_t kLongestAnswer = 16 * 1024 * 1024;
// Of one request. The bucket makes fewer moves; but while it moves, a request may go to where it
// has just been.
constexpr int kMostRedirects = 5;

class AnswerSink : public HttpSink {
 public:
  explicit AnswerSink(S3Answer* answer) : answer_(answer) { answer_->body.clear(); }
  void OnHead(const HttpHead& head) override { answer_->head = head; }
  bool OnBody(std::string_view data) override {
    too_long_ = answer_->body.size() + data.size() > kLongestAnswer;
    if (!too_long_) answer_->body += data;
    return !too_long_;
  }
  bool too_long() const { return too_long_; }

 private:
  S3Answer* const answer_;
  bool too_long_ = false;
};

Error ErrorOf(const std::string& doing, const FetchResult& failure, unsigned tries,
              Clock::time_point begin) {
  if (failure.status == Status::kStopped) {
    return Error(ErrorKind::kCancelled, doing + ": it was stopped");
  }
  std::string effort;
  if (tries > 1) {
    char text[64];
    std::snprintf(text, sizeof(text), " after %u tries in %.1f s", tries,
                  std::chrono::duration<double>(Clock::now() - begin).count());
    effort = text;
  }
  const std::string advice = failure.advice.empty() ? "" : "; " + failure.advice;
  return Error(failure.kind, doing + ": " + failure.what + effort + advice);
}

}  // namespace

class S3Connection::Channel {
 public:
  Channel(S3Bucket* bucket, const FetchLimits& limits)
      : bucket_(*bucket), exchange_(bucket, limits) {}

  FetchResult Send(const S3Request& request, HttpSink* sink, const std::atomic<bool>& stop);
  S3Exchange& exchange() { return exchange_; }

 private:
  bool Redirected(const std::shared_ptr<const S3Place>& asked, const S3Error& error,
                  FetchResult* result);

  S3Bucket& bucket_;
  S3Exchange exchange_;
  int redirects_ = 0;
};

FetchResult S3Connection::Channel::Send(const S3Request& request, HttpSink* sink,
                                        const std::atomic<bool>& stop) {
  redirects_ = 0;
  bool renewed = false;
  for (;;) {
    const auto place = bucket_.place();
    const auto credentials = bucket_.credentials().Get();
    auto [result, error] = exchange_.Run(request, *place, credentials.get(), sink, stop);
    if (!error) {
      if (result.status == Status::kDone) bucket_.OnArrival();
      return result;
    }
    if (Redirected(place, *error, &result)) continue;
    if (renewed || !IsAboutCredentials(*error)) return result;
    renewed = true;
    const bool others = bucket_.credentials().Refused(credentials, stop);
    if (stop) result.status = Status::kStopped;
    if (stop || !others) return result;
  }
}

// Whether the request should be sent again.
bool S3Connection::Channel::Redirected(const std::shared_ptr<const S3Place>& asked,
                                       const S3Error& error, FetchResult* result) {
  if (!IsRedirect(error)) {
    bucket_.OnArrival();
    return false;
  }
  std::string advice;
  if (redirects_ < kMostRedirects && bucket_.Follow(asked, error, &advice)) {
    ++redirects_;
    return true;
  }
  if (!advice.empty() && !IsAboutCredentials(error)) result->advice = advice;
  return false;
}

S3Connection::S3Connection(S3Bucket* bucket, const FetchLimits& limits)
    : channel_(std::make_unique<Channel>(bucket, limits)) {}

S3Connection::~S3Connection() = default;

FetchResult S3Connection::Send(const S3Request& request, HttpSink* sink,
                               const std::atomic<bool>& stop) {
  return channel_->Send(request, sink, stop);
}

S3Answer S3Connection::Ask(const S3Request& request, const std::string& doing,
                           const RetryLimits& retry, const std::atomic<bool>& stop) {
  const Clock::time_point begin = Clock::now();
  RetryPolicy policy(retry, std::random_device()());
  std::optional<Clock::time_point> first_failure;
  for (unsigned tries = 1;; ++tries) {
    S3Answer answer;
    AnswerSink sink(&answer);
    FetchResult result = channel_->Send(request, &sink, stop);
    if (sink.too_long()) {
      throw Error(ErrorKind::kDataLoss, doing + ": an answer of more than " +
                                            std::to_string(kLongestAnswer / (1024 * 1024)) +
                                            " MiB; check that the endpoint is S3's");
    }
    if (result.status == Status::kDone) {
      if (!IsErrorDocument(answer.body)) return answer;
      result = ClassifyS3Error(ReadS3Error(answer.head, answer.body));
    }
    if (!first_failure) first_failure = Clock::now();
    std::optional<double> delay;
    if (result.status == Status::kRetry) {
      const std::chrono::duration<double> retried = Clock::now() - *first_failure;
      delay = policy.Delay(result, tries, retried.count());
    }
    if (!delay) throw ErrorOf(doing, result, tries, begin);
    channel_->exchange().Sleep(*delay, stop);
    if (stop) throw Error(ErrorKind::kCancelled, doing + ": it was stopped");
  }
}

void S3Connection::Nudge() noexcept { channel_->exchange().Wake(); }

}  // namespace smtf
