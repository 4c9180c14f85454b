#include "prefetch/part_queue.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <utility>

#include "prefetch/hedge_policy.h"
#include "prefetch/watched_wait.h"

namespace smtf {
namespace {

double SecondsBetween(Part::Clock::time_point from, Part::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Part::Clock::duration Duration(double seconds) {
  return std::chrono::duration_cast<Part::Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

PartQueue::PartQueue(const PartQueueOptions& options, std::shared_ptr<ObjectList> objects,
                     std::shared_ptr<BufferMemory> memory)
    : objects_(std::move(objects)),
      pool_(
          options.tuner.memory_bytes, [this] { OnBufferReturn(); }, std::move(memory)),
      plan_(options.plan, objects_, options.plan_next_epoch),
      retry_policy_(options.retry, std::random_device()()),
      tuner_(options.tuner),
      hedges_(options.hedging, options.tuner.memory_bytes),
      most_fetches_(tuner_.most_fetches()),
      subscription_(objects_->Subscribe([this] { OnObjects(); })) {}

void PartQueue::BeginEpoch(uint64_t epoch) {
  {
    Lock lock(mutex_);
    const bool as_it_is = untouched_ && !failed_ && plan_.popping() == epoch;
    if (as_it_is || plan_.GoOn(epoch)) {
      untouched_ = true;
      work_.notify_one();
      return;
    }
  }
  Restart(epoch);
}

void PartQueue::ResumeEpoch(uint64_t epoch, PlanStart start) { Restart(epoch, std::move(start)); }

void PartQueue::DropEpoch() { Restart(std::nullopt); }

void PartQueue::Restart(std::optional<uint64_t> epoch, PlanStart start) {
  // Declared before the lock and so emptied after it: returning a buffer takes it.
  std::deque<std::shared_ptr<Part>> dropped;
  RetrySchedule given_up;
  Lock lock(mutex_);
  dropped = window_.TakeAll();
  waiting_.Swap(&given_up);
  for (const auto& part : dropped) part->dropped = true;
  fetching_.Drop();
  untouched_ = epoch.has_value() && start.plain();
  if (epoch) {
    plan_.Begin(*epoch, std::move(start));
  } else {
    plan_.Drop();
  }
  failed_ = false;
  starved_ = false;
  work_.notify_one();
}

bool PartQueue::EpochFailed() const {
  Lock lock(mutex_);
  return failed_;
}

// Taking.

std::shared_ptr<Part> PartQueue::Take(ObjectFetcher* fetcher) {
  Lock lock(mutex_);
  while (!stopped_) {
    if (std::shared_ptr<Part> part = TakeAllowed()) {
      fetching_.Add(part, fetcher);
      // Each worker that finds something to do wakes the next if there may be more, so that one
      // notification is enough for any amount of work.
      if (MoreMayBegin() || (hedges_.enabled() && watchers_ == 0)) tell_worker_ = true;
      Unlock(&lock);
      return part;
    }
    WaitForWork(&lock);
  }
  return nullptr;
}

std::shared_ptr<Part> PartQueue::TakeAllowed() {
  Clock::time_point later;
  if (!fetching_.MayBegin(tuner_, &later)) return nullptr;
  if (std::shared_ptr<Part> part = waiting_.TakeDue(Clock::now())) return part;
  if (std::shared_ptr<Part> part = hedges_.Take(fetching_, &pool_)) return part;
  return TakeNew();
}

// Whether an idle worker might find something to do: waking one in vain costs more than asking.
bool PartQueue::MoreMayBegin() const {
  Clock::time_point unused;
  return idle_workers_ > 0 && fetching_.MayBegin(tuner_, &unused) &&
         !window_.FarEnoughAhead(planned_size_, tuner_, pool_);
}

// Notified before, whoever waits would wake up only to wait for the lock.
void PartQueue::Unlock(Lock* lock) {
  const bool reader = std::exchange(tell_reader_, false);
  const bool worker = std::exchange(tell_worker_, false) && idle_workers_ > 0;
  lock->unlock();
  if (reader) ready_.notify_all();
  if (worker) work_.notify_one();
}

std::shared_ptr<Part> PartQueue::TakeNew() {
  while (plan_.begun() && !failed_) {
    PartSpec spec;
    Buffer buffer;
    try {
      const PartPlan::State state = plan_.Peek(tuner_.part_bytes(), &spec);
      if (state == PartPlan::State::kEnd && plan_.PlanNext()) {
        if (window_.empty()) tell_reader_ = true;
        continue;
      }
      planned_size_ = spec.size;
      if (state != PartPlan::State::kPart) return nullptr;
      if (window_.FarEnoughAhead(spec.size, tuner_, pool_)) {
        if (window_.head()->state == Part::State::kReady) tuner_.NoteReaderBehind();
        return nullptr;
      }
      if (spec.size > 0) {
        buffer = pool_.TryAcquire(spec.size, window_.empty() ? 0 : hedges_.Spare(spec.size));
      }
    } catch (const Error& error) {
      // Such as that the system has no memory: ends the epoch like a part that cannot be fetched.
      window_.AddFailed(spec, error, plan_.planning());
      failed_ = true;
      tell_reader_ = true;
      return nullptr;
    }
    if (!buffer && spec.size > 0) {
      NoteStarved();
      return nullptr;
    }
    plan_.Advance(spec);
    starved_ = false;
    const std::shared_ptr<Part>& part = window_.Add(spec, std::move(buffer), plan_.planning());
    if (part->state != Part::State::kReady) return part;
    if (window_.IsHead(*part)) tell_reader_ = true;
  }
  return nullptr;
}

void PartQueue::NoteStarved() {
  starved_ = true;
  if (window_.empty()) tell_reader_ = true;
  if (window_.empty() || window_.head()->state == Part::State::kReady) tuner_.NoteReaderBehind();
}

void PartQueue::WaitForWork(Lock* lock) {
  if (std::exchange(tell_reader_, false)) ready_.notify_all();
  Clock::time_point until;
  if (fetching_.MayBegin(tuner_, &until)) {
    if (const auto due = waiting_.next_due()) until = *due;
    Clock::time_point slow_from;
    if (hedges_.Slowest(fetching_, &slow_from)) until = std::min(until, slow_from);
  }
  // One looks again in time for a fetch that begins meanwhile and turns out to be slow.
  const bool watches = hedges_.enabled() && watchers_ == 0 && fetching_.size() > 0;
  if (watches) {
    until = std::min(until, Clock::now() + Duration(HedgePolicy::kShortestPatienceSeconds));
  }
  ++idle_workers_;
  watchers_ += watches;
  if (until == Clock::time_point::max()) {
    work_.wait(*lock);
  } else {
    work_.wait_until(*lock, until);
  }
  watchers_ -= watches;
  --idle_workers_;
}

// Giving back.

void PartQueue::Put(std::shared_ptr<Part> part, FetchResult result) {
  // Declared before the lock and so emptied after it: returning a buffer takes it.
  std::vector<std::shared_ptr<Part>> released;
  Lock lock(mutex_);
  // Who gives a part back asks for the next one, but somebody else may wait for its place.
  Clock::time_point unused;
  if (!fetching_.MayBegin(tuner_, &unused)) tell_worker_ = true;
  fetching_.Remove(*part);
  part->filled += result.bytes;
  counts_.bytes_fetched += result.bytes;
  Note(*part, result);
  if (!part->dropped && !stopped_) Settle(part, std::move(result));
  released.swap(released_);
  Unlock(&lock);
}

void PartQueue::Note(const Part& part, const FetchResult& result) {
  const Clock::time_point now = Clock::now();
  if (result.status == FetchResult::Status::kStopped) return;
  if (result.throttled) ++counts_.throttled;
  if (result.status == FetchResult::Status::kDone && part.tries == 1) {
    hedges_.NoteFetch(part.spec.size, now - part.began);
  }
  const bool more =
      tuner_.Note({part.began, now, result.bytes, result.first_byte_seconds, result.throttled});
  most_fetches_ = tuner_.most_fetches();
  if (more && tuner_.calm()) waiting_.HurryThrottled(now);
  if (more && idle_workers_ > 0) work_.notify_all();
}

void PartQueue::Settle(const std::shared_ptr<Part>& part, FetchResult result) {
  if (result.status == FetchResult::Status::kDone) {
    SettleDone(part);
  } else if (part->restart) {
    part->restart = false;
    part->stop = false;
    ++counts_.retries;
    Wait(part, 0);
  } else {
    RetryOrFail(part, std::move(result));
  }
}

void PartQueue::SettleDone(const std::shared_ptr<Part>& part) {
  if (const std::shared_ptr<Part> twin = hedges_.Settle(part, &window_)) {
    Drop(twin);
    released_.push_back(twin);
  }
  window_.SetReady(part.get());
  if (part->verified) ++counts_.checksums_verified;
  if (window_.IsHead(*part)) tell_reader_ = true;
}

void PartQueue::Drop(const std::shared_ptr<Part>& part) {
  part->dropped = true;
  if (part->state == Part::State::kFetching) return FetchesUnderWay::BreakOff(part.get());
  waiting_.Remove(part);
}

void PartQueue::RetryOrFail(const std::shared_ptr<Part>& part, FetchResult failure) {
  const Clock::time_point now = Clock::now();
  if (part->first_failure == Clock::time_point()) part->first_failure = now;
  part->last_failure = now;
  std::optional<double> delay;
  if (failure.status == FetchResult::Status::kRetry) {
    delay = retry_policy_.Delay(failure, part->tries, SecondsBetween(part->first_failure, now));
  }
  part->failure = std::move(failure);
  if (Hedges::Yield(part, !delay, &window_)) return;
  if (delay) {
    ++counts_.retries;
    return Wait(part, *delay);
  }
  part->state = Part::State::kFailed;
  failed_ = true;
  if (window_.IsHead(*part)) tell_reader_ = true;
}

void PartQueue::Wait(const std::shared_ptr<Part>& part, double seconds) {
  part->state = Part::State::kWaiting;
  waiting_.Add(part, Clock::now() + Duration(seconds));
  tell_worker_ = true;  // those that are idle do not know of that time
}

// Popping.

PartQueue::Popped PartQueue::Pop(const std::function<bool()>& left) {
  Lock lock(mutex_);
  Popped popped;
  if (!TryPop(&popped)) {
    const Clock::time_point since = Clock::now();
    ++counts_.stalls;
    const auto ready = [this, &popped] { return TryPop(&popped); };
    if (!WaitWhileWanted(&ready_, &lock, left, ready)) popped.what = Popped::What::kLeft;
    counts_.reader_waited += SecondsBetween(since, Clock::now());
  }
  Unlock(&lock);
  return popped;
}

bool PartQueue::TryPop(Popped* popped) {
  if (stopped_) {
    *popped = {Popped::What::kStopped, nullptr, 0, std::nullopt};
    return true;
  }
  if (TryPopEnd(popped)) return true;
  if (window_.empty()) {
    if (!starved_) return false;
    // Said once for each time that a worker asked in vain.
    starved_ = false;
    *popped = {Popped::What::kStarved, nullptr, 0, std::nullopt};
    return true;
  }
  const std::shared_ptr<Part>& head = window_.head();
  if (head->state == Part::State::kFailed) {
    *popped = {Popped::What::kFailed, head, 0, std::nullopt};
    return true;
  }
  if (head->state != Part::State::kReady) return false;
  untouched_ = false;
  *popped = {Popped::What::kPart, window_.Pop(), 0, std::nullopt};
  // Whoever found the others far enough ahead may go on, although the buffer is still lent.
  if (MoreMayBegin()) tell_worker_ = true;
  return true;
}

bool PartQueue::TryPopEnd(Popped* popped) {
  if (!window_.empty() && window_.head()->epoch == plan_.popping()) return false;
  const std::optional<EpochPlan::End> end = plan_.TryEnd(tuner_.part_bytes());
  if (!end) return false;
  untouched_ = false;
  *popped = {Popped::What::kEnd, nullptr, end->objects, end->failure};
  return true;
}

void PartQueue::Reject(std::shared_ptr<Part> part, FetchResult failure) {
  Lock lock(mutex_);
  if (stopped_) return;
  window_.PutBack(part);
  RetryOrFail(part, std::move(failure));
  Unlock(&lock);
}

void PartQueue::SkipObject(uint64_t object_index) {
  // Declared before the lock and so emptied after it: returning a buffer takes it.
  std::vector<std::shared_ptr<Part>> left, twins;
  Lock lock(mutex_);
  left = window_.TakeObject(plan_.popping(), object_index);
  for (const auto& part : left) {
    Drop(part);
    if (auto twin = part->twin.lock()) {
      Drop(twin);
      twins.push_back(std::move(twin));
    }
  }
  plan_.LeaveObject(object_index);
  failed_ = window_.AnyFailed();
  tell_worker_ = true;
  Unlock(&lock);
}

void PartQueue::Stop() {
  Lock lock(mutex_);
  stopped_ = true;
  fetching_.Stop();
  work_.notify_all();
  ready_.notify_all();
}

void PartQueue::OnBufferReturn() {
  Lock lock(mutex_);
  if (MoreMayBegin()) tell_worker_ = true;
  Unlock(&lock);
}

void PartQueue::OnObjects() {
  Lock lock(mutex_);
  work_.notify_one();
  ready_.notify_all();
}

void PartQueue::AddTo(Stats* stats) const {
  Lock lock(mutex_);
  stats->bytes_fetched += counts_.bytes_fetched;
  stats->retries += counts_.retries;
  stats->throttled += counts_.throttled;
  stats->hedges += hedges_.begun();
  stats->hedges_won += hedges_.won();
  stats->checksums_verified += counts_.checksums_verified;
  stats->stalls += counts_.stalls;
  stats->reader_waited += counts_.reader_waited;
  stats->queue_bytes = window_.ready_bytes();
  stats->queue_parts = window_.ready_parts();
  stats->memory_bytes = pool_.bytes();
  stats->connections = fetching_.size();
  stats->connections_limit = static_cast<uint64_t>(tuner_.connections());
  stats->part_bytes = tuner_.part_bytes();
  stats->listed_objects = objects_->size();
  stats->listed_bytes = objects_->bytes();
}

}  // namespace smtf
