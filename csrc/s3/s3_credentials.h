// The credentials that a bucket's requests are signed with, and their renewal.
#ifndef SMTF_S3_S3_CREDENTIALS_H_
#define SMTF_S3_S3_CREDENTIALS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "s3/sigv4.h"

namespace smtf {

// Requests that S3 refuses wait here for whoever can renew the credentials: that one waits in
// WaitRefused and answers with Set, with newer ones or with the same. Thread-safe.
class S3Credentials {
 public:
  using Shared = std::shared_ptr<const Credentials>;

  // A refused request waits `answer_seconds` for an answer. Credentials that were answered with
  // themselves, or not at all, are not asked about again for `quiet_seconds`: a request that is
  // simply not allowed would ask each time.
  explicit S3Credentials(double answer_seconds = 10, double quiet_seconds = 60);

  // From now on. An Error of kind kInvalidArgument for what would break a header.
  void Set(Credentials credentials);
  // Null before the first Set: requests are anonymous.
  Shared Get() const;

  // Waits until credentials are refused. True at once while a refusal is unanswered; false after
  // `seconds` without one.
  bool WaitRefused(double seconds);

  // A request that was signed with `used` was refused. Blocks until there is an answer, at most for
  // the answer's seconds, or until `stop` is set. True when there are others than `used` now.
  bool Refused(const Shared& used, const std::atomic<bool>& stop);

 private:
  using Clock = std::chrono::steady_clock;

  static bool Differ(const Shared& a, const Shared& b);
  void BeQuiet();

  const std::chrono::duration<double> answer_time_;
  const std::chrono::duration<double> quiet_time_;
  mutable std::mutex mutex_;
  std::condition_variable refused_;
  std::condition_variable answered_;
  Shared current_;
  bool unanswered_ = false;
  uint64_t answers_ = 0;
  Clock::time_point quiet_until_;
};

}  // namespace smtf

#endif  // SMTF_S3_S3_CREDENTIALS_H_
