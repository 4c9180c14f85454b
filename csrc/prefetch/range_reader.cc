#include "prefetch/range_reader.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "checksum/object_checksum.h"
#include "errors.h"
#include "prefetch/object_verifier.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;
using Status = FetchResult::Status;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// One range on its way into memory, over several tries.
class Reading {
 public:
  Reading(const ObjectRef& object, uint64_t offset, char* dst, size_t size)
      : object_(object), offset_(offset), dst_(dst), size_(size) {}

  FetchResult Try(ObjectFetcher* fetcher);
  Error GivenUp(const std::string& object, const FetchResult& failure) const;

  unsigned tries() const { return tries_; }
  // Since the first failure, which is noted when this is first called.
  double SecondsRetried() {
    if (!first_failure_) first_failure_ = Clock::now();
    return SecondsSince(*first_failure_);
  }

 private:
  void Verify(FetchResult* result);

  const ObjectRef object_;
  const uint64_t offset_;
  char* const dst_;
  const size_t size_;
  const Clock::time_point begin_ = Clock::now();
  size_t filled_ = 0;
  unsigned tries_ = 0;
  std::optional<Clock::time_point> first_failure_;
  std::optional<AnnouncedChecksum> announced_;
};

FetchResult Reading::Try(ObjectFetcher* fetcher) {
  const std::atomic<bool> never{false};
  const FetchRequest rest{object_,         offset_ + filled_, dst_ + filled_,
                          size_ - filled_, ++tries_,          filled_};
  FetchResult result = fetcher->Fetch(rest, never);
  if (!announced_) announced_ = result.checksum;
  filled_ += result.bytes;
  if (result.status == Status::kDone) Verify(&result);
  return result;
}

// What is announced for a range may be the whole object's, so only whole objects can be verified.
void Reading::Verify(FetchResult* result) {
  if (!announced_ || size_ != object_.size) return;
  const uint64_t computed = ExtendChecksum(announced_->kind, 0, std::string_view(dst_, size_));
  if (computed == announced_->value) return;
  *result = ChecksumMismatch(*announced_, computed);
  announced_.reset();
  filled_ = 0;
}

Error Reading::GivenUp(const std::string& object, const FetchResult& failure) const {
  std::string message = object + " bytes " + std::to_string(offset_) + "-" +
                        std::to_string(offset_ + size_ - 1) + ": " + failure.what;
  if (tries_ > 1) {
    char effort[64];
    std::snprintf(effort, sizeof(effort), " after %u tries in %.1f s", tries_,
                  SecondsSince(begin_));
    message += effort;
  }
  if (!failure.advice.empty()) message += "; " + failure.advice;
  return Error(failure.kind, message);
}

}  // namespace

RangeReader::RangeReader(ObjectSource* source, const FetchLimits& limits, const RetryLimits& retry,
                         uint64_t seed)
    : source_(*source), fetcher_(source->MakeFetcher(limits)), retry_policy_(retry, seed) {}

void RangeReader::Read(const ObjectRef& object, uint64_t offset, char* dst, size_t size) {
  Reading reading(object, offset, dst, size);
  for (;;) {
    const FetchResult result = reading.Try(fetcher_.get());
    if (result.status == Status::kDone) return;
    std::optional<double> delay;
    if (result.status == Status::kRetry) {
      delay = retry_policy_.Delay(result, reading.tries(), reading.SecondsRetried());
    }
    if (!delay) throw reading.GivenUp(source_.Describe(object), result);
    std::this_thread::sleep_for(std::chrono::duration<double>(*delay));
  }
}

}  // namespace smtf
