#include "prefetch/part_queue.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

namespace smtf {
namespace {

// At least so many parts beyond those that are on their way are fetched ahead of the head.
constexpr size_t kPartsAhead = 2;

double SecondsBetween(Part::Clock::time_point from, Part::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

Part::Clock::duration Duration(double seconds) {
  return std::chrono::duration_cast<Part::Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

PartQueue::PartQueue(const PartQueueOptions& options, std::shared_ptr<ObjectList> objects)
    : objects_(std::move(objects)),
      pool_(options.tuner.memory_bytes, [this] { OnBufferReturn(); }),
      plan_(options.plan, objects_),
      retry_policy_(options.retry, std::random_device()()),
      tuner_(options.tuner),
      memory_bytes_(options.tuner.memory_bytes),
      hedging_(options.hedging),
      plan_next_epoch_(options.plan_next_epoch),
      hedge_policy_(options.hedging),
      most_fetches_(tuner_.most_fetches()),
      subscription_(objects_->Subscribe([this] { OnObjects(); })) {}

void PartQueue::BeginEpoch(uint64_t epoch) {
  {
    Lock lock(mutex_);
    if (ended_ && planning_epoch_ == epoch && epoch == popping_epoch_ + 1) {
      popping_epoch_ = epoch;
      ended_ = false;
      work_.notify_one();
      return;
    }
  }
  Restart(epoch);
}

void PartQueue::DropEpoch() { Restart(std::nullopt); }

void PartQueue::Restart(std::optional<uint64_t> epoch) {
  // Declared before the lock and so emptied after it: returning a buffer takes it.
  std::deque<std::shared_ptr<Part>> dropped;
  RetrySchedule given_up;
  Lock lock(mutex_);
  window_.swap(dropped);
  waiting_.Swap(&given_up);
  for (const auto& part : dropped) part->dropped = true;
  fetching_.Drop();
  if (epoch) {
    plan_.Begin(*epoch);
    popping_epoch_ = planning_epoch_ = *epoch;
  }
  begun_ = epoch.has_value();
  ended_ = false;
  failed_ = false;
  starved_ = false;
  counts_.queue_bytes = 0;
  counts_.queue_parts = 0;
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
      if (MoreMayBegin() || (hedging_ && watchers_ == 0)) tell_worker_ = true;
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
  if (std::shared_ptr<Part> part = TakeHedge()) return part;
  return TakeNew();
}

// The fetch that has gone on for longest, if it is slow, as a part of its own; null if there is
// none, or if there is no memory for a second one.
std::shared_ptr<Part> PartQueue::TakeHedge() {
  Clock::time_point slow_from;
  const std::shared_ptr<Part> slow = fetching_.Slowest(hedge_policy_, &slow_from);
  if (!slow || slow_from > Clock::now()) return nullptr;
  slow->hedged = true;
  Buffer buffer = AcquireForHedge(slow->spec.size);
  if (!buffer) {
    slow->restart = true;
    FetchesUnderWay::BreakOff(slow.get());
    return nullptr;
  }
  auto hedge = std::make_shared<Part>(slow->spec, std::move(buffer));
  hedge->epoch = slow->epoch;
  hedge->is_hedge = hedge->hedged = true;
  hedge->twin = slow;
  slow->twin = hedge;
  hedge_policy_.NoteHedge(hedge->spec.size);
  ++counts_.hedges;
  return hedge;
}

// While the head is on its way, or waits for the reader, the others do not run ahead of it for as
// long as the memory lasts: fresh memory costs more than the bytes that are fetched into it. A head
// that is in trouble they do not wait for.
bool PartQueue::FarEnoughAhead(size_t size) const {
  if (window_.empty()) return false;
  const Part& head = *window_.front();
  if (head.state == Part::State::kReady) return pool_.lent_bytes() + size > tuner_.ready_bytes();
  if (head.state != Part::State::kFetching || head.hedged || head.tries > 1) return false;
  const size_t parts = static_cast<size_t>(tuner_.most_fetches()) + kPartsAhead;
  return window_.size() > parts && pool_.lent_bytes() + size > tuner_.ahead_bytes();
}

// Whether an idle worker might find something to do: waking one in vain costs more than asking.
bool PartQueue::MoreMayBegin() const {
  Clock::time_point unused;
  return idle_workers_ > 0 && fetching_.MayBegin(tuner_, &unused) && !FarEnoughAhead(planned_size_);
}

// Notified before, whoever waits would wake up only to wait for the lock.
void PartQueue::Unlock(Lock* lock) {
  const bool reader = std::exchange(tell_reader_, false);
  const bool worker = std::exchange(tell_worker_, false) && idle_workers_ > 0;
  lock->unlock();
  if (reader) ready_.notify_all();
  if (worker) work_.notify_one();
}

// What planning leaves free, so that a slow part of that size can be fetched a second time. Large
// parts in a small budget need all of it.
size_t PartQueue::SpareForHedge(size_t size) const {
  const size_t spare = BufferPool::CapacityFor(size);
  return hedging_ && spare <= memory_bytes_ / 16 && !window_.empty() ? spare : 0;
}

Buffer PartQueue::AcquireForHedge(size_t size) {
  try {
    return pool_.TryAcquire(size);
  } catch (const Error&) {
    return Buffer();  // the system has none: a hedge can be done without
  }
}

std::shared_ptr<Part> PartQueue::TakeNew() {
  while (begun_ && !failed_) {
    PartSpec spec;
    Buffer buffer;
    try {
      const PartPlan::State state = plan_.Peek(tuner_.part_bytes(), &spec);
      if (state == PartPlan::State::kEnd && PlanNextEpoch()) continue;
      planned_size_ = spec.size;
      if (state != PartPlan::State::kPart) return nullptr;
      if (FarEnoughAhead(spec.size)) {
        if (window_.front()->state == Part::State::kReady) tuner_.NoteReaderBehind();
        return nullptr;
      }
      if (spec.size > 0) buffer = pool_.TryAcquire(spec.size, SpareForHedge(spec.size));
    } catch (const Error& error) {
      PlanFailed(spec, error);
      return nullptr;
    }
    if (!buffer && spec.size > 0) {
      NoteStarved();
      return nullptr;
    }
    plan_.Advance(spec);
    starved_ = false;
    window_.push_back(std::make_shared<Part>(spec, std::move(buffer)));
    window_.back()->epoch = planning_epoch_;
    if (spec.size > 0 && spec.object.source != kInlineSource) return window_.back();
    FillUnfetched(window_.back().get());
  }
  return nullptr;
}

// False where there is nothing to plan: a list that failed, an epoch without objects, the next
// epoch as well, or because it is not wanted.
bool PartQueue::PlanNextEpoch() {
  if (!plan_next_epoch_ || planning_epoch_ != popping_epoch_ || plan_.failure() ||
      plan_.objects() == 0)
    return false;
  objects_of_popping_ = plan_.objects();
  plan_.Begin(++planning_epoch_);
  if (window_.empty()) tell_reader_ = true;
  return true;
}

void PartQueue::NoteStarved() {
  starved_ = true;
  if (window_.empty()) tell_reader_ = true;
  if (window_.empty() || window_.front()->state == Part::State::kReady) tuner_.NoteReaderBehind();
}

// What needs no fetch: bytes that stand in the list, and objects without bytes.
void PartQueue::FillUnfetched(Part* part) {
  part->filled = part->spec.size;
  if (part->filled > 0) {
    std::memcpy(part->buffer.data(), part->spec.object.name.data() + part->spec.offset,
                part->filled);
  }
  part->state = Part::State::kReady;
  counts_.queue_bytes += part->filled;
  ++counts_.queue_parts;
  if (part == window_.front().get()) tell_reader_ = true;
}

// The system has no memory: that ends the epoch like a part that cannot be fetched.
void PartQueue::PlanFailed(const PartSpec& spec, const Error& error) {
  auto part = std::make_shared<Part>(spec, Buffer());
  part->state = Part::State::kFailed;
  part->failure.status = FetchResult::Status::kFailed;
  part->failure.kind = error.kind();
  part->failure.what = error.what();
  part->epoch = planning_epoch_;
  failed_ = true;
  window_.push_back(std::move(part));
  tell_reader_ = true;
}

void PartQueue::WaitForWork(Lock* lock) {
  if (std::exchange(tell_reader_, false)) ready_.notify_all();
  Clock::time_point until;
  if (fetching_.MayBegin(tuner_, &until)) {
    if (const auto due = waiting_.next_due()) until = *due;
    Clock::time_point slow_from;
    if (fetching_.Slowest(hedge_policy_, &slow_from)) until = std::min(until, slow_from);
  }
  // One looks again in time for a fetch that begins meanwhile and turns out to be slow.
  const bool watches = hedging_ && watchers_ == 0 && fetching_.size() > 0;
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
    hedge_policy_.NoteFetch(part.spec.size, now - part.began);
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
  if (const std::shared_ptr<Part> twin = part->twin.lock()) {
    if (part->is_hedge) {
      Replace(twin.get(), part);
      ++counts_.hedges_won;
    }
    Drop(twin);
    released_.push_back(twin);
    part->twin.reset();
  }
  part->state = Part::State::kReady;
  counts_.queue_bytes += part->filled;
  ++counts_.queue_parts;
  if (part->verified) ++counts_.checksums_verified;
  if (part == window_.front()) tell_reader_ = true;
}

void PartQueue::Replace(const Part* part, const std::shared_ptr<Part>& replacement) {
  const auto place = std::find_if(window_.begin(), window_.end(),
                                  [part](const auto& planned) { return planned.get() == part; });
  replacement->is_hedge = false;
  *place = replacement;
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
  if (const std::shared_ptr<Part> twin = part->twin.lock()) {
    if (part->is_hedge || !delay) return YieldTo(part, twin);
  }
  if (delay) {
    ++counts_.retries;
    return Wait(part, *delay);
  }
  part->state = Part::State::kFailed;
  failed_ = true;
  if (part == window_.front()) tell_reader_ = true;
}

// One of two fetches of a range has failed: the other goes on alone.
void PartQueue::YieldTo(const std::shared_ptr<Part>& part, const std::shared_ptr<Part>& twin) {
  if (!part->is_hedge) Replace(part.get(), twin);
  twin->twin.reset();
  part->dropped = true;
}

void PartQueue::Wait(const std::shared_ptr<Part>& part, double seconds) {
  part->state = Part::State::kWaiting;
  waiting_.Add(part, Clock::now() + Duration(seconds));
  tell_worker_ = true;  // those that are idle do not know of that time
}

// Popping.

PartQueue::Popped PartQueue::Pop() {
  Lock lock(mutex_);
  Popped popped;
  if (!TryPop(&popped)) {
    const Clock::time_point since = Clock::now();
    ++counts_.stalls;
    do {
      ready_.wait(lock);
    } while (!TryPop(&popped));
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
  const std::shared_ptr<Part>& head = window_.front();
  if (head->state == Part::State::kFailed) {
    *popped = {Popped::What::kFailed, head, 0, std::nullopt};
    return true;
  }
  if (head->state != Part::State::kReady) return false;
  counts_.queue_bytes -= head->filled;
  --counts_.queue_parts;
  *popped = {Popped::What::kPart, head, 0, std::nullopt};
  window_.pop_front();
  // Whoever found the others far enough ahead may go on, although the buffer is still lent.
  if (MoreMayBegin()) tell_worker_ = true;
  return true;
}

bool PartQueue::TryPopEnd(Popped* popped) {
  if (!window_.empty() && window_.front()->epoch == popping_epoch_) return false;
  if (planning_epoch_ != popping_epoch_) {
    *popped = {Popped::What::kEnd, nullptr, objects_of_popping_, std::nullopt};
  } else {
    PartSpec unused;
    if (plan_.Peek(tuner_.part_bytes(), &unused) != PartPlan::State::kEnd) return false;
    *popped = {Popped::What::kEnd, nullptr, plan_.objects(), plan_.failure()};
  }
  ended_ = true;
  return true;
}

void PartQueue::Reject(std::shared_ptr<Part> part, FetchResult failure) {
  Lock lock(mutex_);
  if (stopped_) return;
  part->filled = 0;
  window_.push_front(part);
  RetryOrFail(part, std::move(failure));
  Unlock(&lock);
}

void PartQueue::SkipObject(uint64_t object_index) {
  // Declared before the lock and so emptied after it: returning a buffer takes it.
  std::vector<std::shared_ptr<Part>> left;
  Lock lock(mutex_);
  while (!window_.empty() && window_.front()->epoch == popping_epoch_ &&
         window_.front()->spec.object_index == object_index) {
    left.push_back(std::move(window_.front()));
    window_.pop_front();
    Forget(left.back());
    if (auto twin = left.back()->twin.lock()) {
      Forget(twin);
      left.push_back(std::move(twin));
    }
  }
  if (planning_epoch_ == popping_epoch_) plan_.LeaveObject(object_index);
  failed_ = std::any_of(window_.begin(), window_.end(),
                        [](const auto& part) { return part->state == Part::State::kFailed; });
  tell_worker_ = true;
  Unlock(&lock);
}

void PartQueue::Forget(const std::shared_ptr<Part>& part) {
  if (part->state == Part::State::kReady) {
    counts_.queue_bytes -= part->filled;
    --counts_.queue_parts;
  }
  Drop(part);
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
  stats->hedges += counts_.hedges;
  stats->hedges_won += counts_.hedges_won;
  stats->checksums_verified += counts_.checksums_verified;
  stats->stalls += counts_.stalls;
  stats->reader_waited += counts_.reader_waited;
  stats->queue_bytes = counts_.queue_bytes;
  stats->queue_parts = counts_.queue_parts;
  stats->memory_bytes = pool_.bytes();
  stats->connections = fetching_.size();
  stats->connections_limit = static_cast<uint64_t>(tuner_.connections());
  stats->part_bytes = tuner_.part_bytes();
  stats->listed_objects = objects_->size();
  stats->listed_bytes = objects_->bytes();
}

}  // namespace smtf
