// How many fetches are made at a time and how large they are: found at run time, lowered where the
// server throttles.
#ifndef SMTF_PREFETCH_TRANSFER_TUNER_H_
#define SMTF_PREFETCH_TRANSFER_TUNER_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace smtf {

struct TunerOptions {
  int connections = 0;        // 0 finds the number
  int most_connections = 64;  // bound on what is found; about 5 GB/s of S3
  size_t part_bytes = 0;      // 0 finds the size
  size_t memory_bytes = 256 * 1024 * 1024;
};

// Connections. Begins with 4 and doubles while that raises the throughput by a fifth or more; then
// goes back to the number before and tries again after 10 s, in case the link or the server have
// changed. Connections that carry more than any of S3 does are left at 4 for the first 2 s: there
// the processors are the limit more often than not, and a number that is too large costs more than
// one that is too small. Throughput is compared over windows that begin once a whole round of
// fetches was made with the new number. A window in which fetching had to wait for the reader says
// nothing about the server and is left out, so a slow reader never makes the number grow.
//
// Throttling. Where more than a fifth of the answers of a window ask for fewer requests, the number
// is halved, at most once for the requests that were under way together; a lower share is noise
// that retries deal with. It comes back by an eighth of what it was with every window of a quarter
// of a second to a second that passes without (AIMD, as TCP has it). That is so for a given number,
// too: it is an upper bound.
//
// Distance. Where the first byte takes 15 ms or more of three fetches in four, a connection would
// stand idle for that long between two fetches. So the next request is sent by so much earlier than
// a fetch is expected to end, over another connection: there are as many transfers at a time as
// there are connections by that count, and some requests that wait for their first byte besides, as
// many again at most.
//
// Part size. Grows from 4 MiB in powers of two until a transfer takes half as long again as the
// wait before it, as far as the memory holds a part for every fetch. Not before the number of
// connections is found: with large parts that would take many seconds.
//
// Running ahead. What is fetched beyond a part that is still on its way evens out how long fetches
// take, which near a server is hardly worth the memory that has to be touched for it. The same goes
// for what lies ready for a slow reader: more of it would not make anything faster.
//
// Not thread-safe: the part queue's lock guards it. The caller gives the time.
class TransferTuner {
 public:
  using Clock = std::chrono::steady_clock;

  explicit TransferTuner(const TunerOptions& options);

  // Transfers at a time.
  int connections() const { return connections_; }
  // Fetches at a time, those included that wait for their first byte.
  int most_fetches() const { return distant() ? 2 * connections_ : connections_; }
  // How long after its begin a fetch of so many bytes is so near its end that another may begin;
  // nothing where fetches need not overlap.
  std::optional<Clock::duration> LeadAfter(size_t bytes) const;
  size_t part_bytes() const;
  // How many bytes may be fetched ahead of a part that is on its way.
  size_t ahead_bytes() const;
  // How many bytes may lie ready, or be on their way, while the reader is behind.
  size_t ready_bytes() const;

  struct Sample {
    Clock::time_point began;
    Clock::time_point ended;
    size_t bytes = 0;                // that came
    double first_byte_seconds = -1;  // negative where it is not known
    bool throttled = false;
  };
  // A fetch has ended, however it did. True if more may be made at a time than before, or if
  // throttling is over: what waits may be tried.
  bool Note(const Sample& sample);

  // Fetching waits for the reader, and not for the server.
  void NoteReaderBehind() { reader_behind_ = true; }

  // No answer of the last window asked for fewer requests.
  bool calm() const { return calm_; }

 private:
  enum class Phase { kGrowing, kHolding };

  bool distant() const;
  bool nearby() const;
  void NotePartTimes(const Sample& sample);
  bool CloseThrottleWindow(Clock::time_point now);
  bool Recover();
  bool CloseRateWindow(Clock::time_point now);
  bool Judge(double rate, Clock::time_point now);
  void Hold(Clock::time_point until);
  bool SetConnections(int connections, Clock::time_point now);
  void BeginRateWindow(Clock::time_point now);

  const TunerOptions options_;
  int connections_;

  // Throttling.
  int before_throttling_ = 0;  // what to come back to; 0 when there is none
  Clock::time_point lowered_;
  Clock::time_point throttle_window_;
  int answers_ = 0;
  int throttled_ = 0;
  bool calm_ = true;

  // Throughput.
  Phase phase_ = Phase::kGrowing;
  Clock::time_point rate_window_;
  bool judged_ = false;
  bool settled_ = false;  // a round of fetches was made since
  int fetches_ = 0;
  uint64_t bytes_ = 0;
  bool reader_behind_ = false;
  int smaller_ = 0;          // what the number was before it grew
  double smaller_rate_ = 0;  // bytes per second with that
  Clock::time_point hold_until_;

  // Part size: moving averages.
  double first_byte_seconds_ = 0;
  double bytes_per_second_ = 0;  // of one connection, after the first byte

  // Waits for the first byte that a quarter of the latest fetches were shorter than: what keeps
  // fetches waiting on a busy machine does not do so to all of them, and distance does.
  class ShortWait {
   public:
    void Add(double seconds);
    // 0 before the first.
    double seconds() const { return seconds_; }

   private:
    static constexpr size_t kSamples = 32;
    std::array<double, kSamples> latest_{};
    size_t count_ = 0;  // since the beginning
    double seconds_ = 0;
  };
  ShortWait short_wait_;
  ShortWait any_short_wait_;  // of small fetches too
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_TRANSFER_TUNER_H_
