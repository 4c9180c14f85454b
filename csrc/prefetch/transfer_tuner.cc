#include "prefetch/transfer_tuner.h"

#include <algorithm>

namespace smtf {
namespace {

using std::chrono::milliseconds;

constexpr int kFirstConnections = 4;
constexpr double kWorthwhileGrowth = 1.2;
constexpr auto kRateWindow = milliseconds(150);
constexpr auto kHold = std::chrono::seconds(10);
// S3 gives a connection up to 90 MB/s.
constexpr double kFastConnection = 100e6;
constexpr auto kFirstHold = std::chrono::seconds(2);

constexpr auto kThrottleWindow = milliseconds(250);
constexpr auto kLongestThrottleWindow = milliseconds(1000);
constexpr int kFewestAnswers = 20;          // below, one throttled answer would weigh too much
constexpr int kThrottleWindowAnswers = 40;  // a storm is seen before the window is over
constexpr double kThrottledShare = 0.2;
constexpr int kFewestThrottled = 3;
constexpr int kRecoverySteps = 8;

constexpr size_t kSmallestPart = size_t{4} << 20;
constexpr size_t kLargestPart = size_t{128} << 20;
constexpr double kTransferToWait = 1.5;
// A connection that stands idle costs more than one that overlaps, and transfers vary.
constexpr double kEarlier = 0.9;
// Less is no distance but a busy machine: there, more and larger parts only take more memory.
constexpr double kShortestWait = 0.015;
constexpr double kNewestWeight = 0.2;

constexpr size_t kAheadNearby = size_t{8} << 20;
constexpr size_t kAheadAtADistance = size_t{32} << 20;
constexpr size_t kReadyNearby = size_t{64} << 20;
constexpr double kNearby = 0.005;  // s to the first byte

double Seconds(TransferTuner::Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void Average(double sample, double* average) {
  *average = *average == 0 ? sample : *average + kNewestWeight * (sample - *average);
}

}  // namespace

TransferTuner::TransferTuner(const TunerOptions& options)
    : options_(options),
      connections_(options.connections > 0
                       ? options.connections
                       : std::min(kFirstConnections, options.most_connections)) {}

void TransferTuner::ShortWait::Add(double seconds) {
  latest_[count_++ % kSamples] = seconds;
  const size_t known = std::min(count_, kSamples);
  std::array<double, kSamples> sorted = latest_;
  const auto quarter = sorted.begin() + known / 4;
  std::nth_element(sorted.begin(), quarter, sorted.begin() + known);
  seconds_ = *quarter;
}

bool TransferTuner::distant() const { return short_wait_.seconds() >= kShortestWait; }

bool TransferTuner::nearby() const { return any_short_wait_.seconds() < kNearby; }

std::optional<TransferTuner::Clock::duration> TransferTuner::LeadAfter(size_t bytes) const {
  if (!distant()) return std::nullopt;
  const std::chrono::duration<double> transfer(static_cast<double>(bytes) / bytes_per_second_);
  return std::chrono::duration_cast<Clock::duration>(kEarlier * transfer);
}

size_t TransferTuner::part_bytes() const {
  if (options_.part_bytes > 0) return options_.part_bytes;
  const bool counting = options_.connections == 0 && phase_ == Phase::kGrowing;
  const double wanted =
      counting || !distant() ? 0 : kTransferToWait * first_byte_seconds_ * bytes_per_second_;
  const size_t affordable = options_.memory_bytes / static_cast<size_t>(most_fetches());
  size_t size = kSmallestPart;
  while (static_cast<double>(size) < wanted && 2 * size <= affordable && size < kLargestPart) {
    size *= 2;
  }
  // A small budget has to hold two parts: one to fetch, one to write.
  while (2 * size > options_.memory_bytes && size > 64 * 1024) size /= 2;
  return size;
}

size_t TransferTuner::ahead_bytes() const { return nearby() ? kAheadNearby : kAheadAtADistance; }

size_t TransferTuner::ready_bytes() const {
  return nearby() ? kReadyNearby : options_.memory_bytes;
}

bool TransferTuner::Note(const Sample& sample) {
  bool more = false;
  // Answers to requests that were made before the number was lowered say nothing about the new one.
  if (sample.began >= lowered_) {
    ++answers_;
    if (sample.throttled) ++throttled_;
    if (throttle_window_ == Clock::time_point()) throttle_window_ = sample.began;
    more = CloseThrottleWindow(sample.ended);
  }
  NotePartTimes(sample);
  ++fetches_;
  bytes_ += sample.bytes;
  return CloseRateWindow(sample.ended) || more;
}

// Retries and tiny objects say little about transfers.
void TransferTuner::NotePartTimes(const Sample& sample) {
  if (sample.first_byte_seconds < 0 || sample.throttled) return;
  any_short_wait_.Add(sample.first_byte_seconds);
  if (sample.bytes < kSmallestPart / 2) return;
  const double transfer = Seconds(sample.ended - sample.began) - sample.first_byte_seconds;
  if (transfer <= 0) return;
  short_wait_.Add(sample.first_byte_seconds);
  Average(sample.first_byte_seconds, &first_byte_seconds_);
  Average(static_cast<double>(sample.bytes) / transfer, &bytes_per_second_);
}

bool TransferTuner::CloseThrottleWindow(Clock::time_point now) {
  const bool storm = throttled_ >= kFewestThrottled && throttled_ > kThrottledShare * answers_ &&
                     (answers_ >= kThrottleWindowAnswers || throttled_ >= connections_);
  const auto open = now - throttle_window_;
  const bool complete = open >= kThrottleWindow && answers_ >= kFewestAnswers;
  if (!storm && !complete && open < kLongestThrottleWindow) return false;
  const bool throttled = storm || throttled_ > kThrottledShare * answers_;
  const bool was_calm = calm_;
  calm_ = throttled_ == 0;
  throttle_window_ = now;
  answers_ = throttled_ = 0;
  if (throttled) {
    before_throttling_ = std::max(before_throttling_, connections_);
    lowered_ = now;
    SetConnections(std::max(1, connections_ / 2), now);
    return false;
  }
  return Recover() || (calm_ && !was_calm);
}

bool TransferTuner::Recover() {
  if (before_throttling_ == 0) return false;
  const int step = std::max(1, before_throttling_ / kRecoverySteps);
  const int next = std::min(before_throttling_, connections_ + step);
  if (next == before_throttling_) before_throttling_ = 0;
  return SetConnections(next, throttle_window_);
}

bool TransferTuner::CloseRateWindow(Clock::time_point now) {
  if (!settled_) {
    if (fetches_ < connections_) return false;
    settled_ = true;
    BeginRateWindow(now);
    return false;
  }
  if (now - rate_window_ < kRateWindow || fetches_ < 2 * connections_) return false;
  const double rate = static_cast<double>(bytes_) / Seconds(now - rate_window_);
  const bool reader_behind = reader_behind_;
  BeginRateWindow(now);
  if (options_.connections > 0 || before_throttling_ > 0 || reader_behind) return false;
  return Judge(rate, now);
}

bool TransferTuner::Judge(double rate, Clock::time_point now) {
  const bool first = !judged_;
  judged_ = true;
  if (first && rate >= kFastConnection * connections_) {
    Hold(now + kFirstHold);
    return false;
  }
  if (phase_ == Phase::kHolding) {
    if (now < hold_until_) return false;
    phase_ = Phase::kGrowing;
  } else if (smaller_ > 0 && rate < kWorthwhileGrowth * smaller_rate_) {
    SetConnections(smaller_, now);
    Hold(now + kHold);
    return false;
  }
  if (connections_ >= options_.most_connections) {
    Hold(now + kHold);
    return false;
  }
  smaller_ = connections_;
  smaller_rate_ = rate;
  return SetConnections(std::min(2 * connections_, options_.most_connections), now);
}

void TransferTuner::Hold(Clock::time_point until) {
  phase_ = Phase::kHolding;
  hold_until_ = until;
  smaller_ = 0;
}

bool TransferTuner::SetConnections(int connections, Clock::time_point now) {
  const bool more = connections > connections_;
  connections_ = connections;
  settled_ = false;
  BeginRateWindow(now);
  return more;
}

void TransferTuner::BeginRateWindow(Clock::time_point now) {
  rate_window_ = now;
  fetches_ = 0;
  bytes_ = 0;
  reader_behind_ = false;
}

}  // namespace smtf
