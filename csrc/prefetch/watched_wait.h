// A wait that also ends when nobody wants what is waited for any more.
#ifndef SMTF_PREFETCH_WATCHED_WAIT_H_
#define SMTF_PREFETCH_WATCHED_WAIT_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace smtf {

// How often that is asked. What it holds up is the next reader, for which this is not long, and an
// answer costs microseconds.
inline constexpr std::chrono::milliseconds kWantedInterval{50};

// Waits until `ready`, which is called with the lock. False where `left`, called without it, says
// that nobody waits; where it is null nobody can tell.
template <typename Ready>
bool WaitWhileWanted(std::condition_variable* changed, std::unique_lock<std::mutex>* lock,
                     const std::function<bool()>& left, Ready ready) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point look = Clock::now() + kWantedInterval;
  while (!ready()) {
    if (!left) {
      changed->wait(*lock);
      continue;
    }
    changed->wait_until(*lock, look);
    if (Clock::now() < look) continue;
    lock->unlock();
    const bool unwanted = left();
    lock->lock();
    if (unwanted) return false;
    look = Clock::now() + kWantedInterval;
  }
  return true;
}

}  // namespace smtf

#endif  // SMTF_PREFETCH_WATCHED_WAIT_H_
