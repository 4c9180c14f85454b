// Since when a reader of epochs must have used what it still needs.
#ifndef SMTF_CACHE_REUSE_HORIZON_H_
#define SMTF_CACHE_REUSE_HORIZON_H_

#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>

namespace smtf {

// Nobody says when an epoch ends, so this watches the first object that is ever asked for. Each
// epoch asks for its first byte once: between two of its appearances lies one epoch where the order
// is always the same, and anything up to two where every epoch has an order of its own; between
// three lies at least one whole epoch in any case. The first two span all of the first epoch, which
// began with it. Thread-safe.
class ReuseHorizon {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  // Says that the first byte of this object is asked for at this time.
  void Note(std::string_view object, int64_t now) {
    const std::lock_guard lock(mutex_);
    if (landmark_.empty()) {
      landmark_ = object;
      latest_ = now;
    } else if (landmark_ == object) {
      horizon_ = second_latest_ == kNever ? latest_ : second_latest_;
      second_latest_ = latest_;
      latest_ = now;
    }
  }

  // What was not used since then was not used in a whole epoch. kNever in the first epoch.
  int64_t Get() const {
    const std::lock_guard lock(mutex_);
    return horizon_;
  }

 private:
  mutable std::mutex mutex_;
  std::string landmark_;
  int64_t latest_ = kNever;
  int64_t second_latest_ = kNever;
  int64_t horizon_ = kNever;
};

}  // namespace smtf

#endif  // SMTF_CACHE_REUSE_HORIZON_H_
