#include "s3/s3_credentials.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "errors.h"

namespace smtf {
namespace {

// A stop flag has no condition variable; this is how late it is seen.
constexpr std::chrono::milliseconds kStopPoll(50);

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

S3Credentials::S3Credentials(double answer_seconds, double quiet_seconds)
    : answer_time_(answer_seconds), quiet_time_(quiet_seconds) {}

void S3Credentials::Set(Credentials credentials) {
  if (HasControlCharacter(credentials.access_key) ||
      HasControlCharacter(credentials.session_token)) {
    throw Error(ErrorKind::kInvalidArgument,
                "the credentials hold a control character, such as a line end; check where they "
                "are read from");
  }
  auto shared = std::make_shared<const Credentials>(std::move(credentials));
  std::lock_guard<std::mutex> lock(mutex_);
  if (Differ(shared, current_)) {
    current_ = std::move(shared);
    quiet_until_ = {};
  } else if (unanswered_) {
    BeQuiet();
  }
  unanswered_ = false;
  ++answers_;
  answered_.notify_all();
}

S3Credentials::Shared S3Credentials::Get() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return current_;
}

bool S3Credentials::WaitRefused(double seconds) {
  std::unique_lock<std::mutex> lock(mutex_);
  return refused_.wait_for(lock, std::chrono::duration<double>(seconds),
                           [this] { return unanswered_; });
}

bool S3Credentials::Refused(const Shared& used, const std::atomic<bool>& stop) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!used && !current_) return false;
  if (Differ(used, current_)) return true;
  if (Clock::now() < quiet_until_) return false;
  unanswered_ = true;
  refused_.notify_all();
  const uint64_t answers = answers_;
  const auto give_up = Clock::now() + std::chrono::duration_cast<Clock::duration>(answer_time_);
  while (answers_ == answers && !stop) {
    if (Clock::now() >= give_up) {
      BeQuiet();
      break;
    }
    answered_.wait_for(lock, kStopPoll);
  }
  return Differ(used, current_);
}

void S3Credentials::BeQuiet() {
  quiet_until_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(quiet_time_);
}

bool S3Credentials::Differ(const Shared& a, const Shared& b) {
  if (a == b) return false;
  return !a || !b || a->access_key != b->access_key || a->secret_key != b->secret_key ||
         a->session_token != b->session_token;
}

}  // namespace smtf
