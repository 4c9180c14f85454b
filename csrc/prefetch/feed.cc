#include "prefetch/feed.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "prefetch/feed_outlet.h"
#include "prefetch/part_error.h"
#include "prefetch/signals_blocked.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

}  // namespace

Feed::Feed(FeedOptions options, std::shared_ptr<ObjectSource> source,
           std::shared_ptr<ObjectList> objects)
    : options_(Checked(std::move(options))),
      source_(std::move(source)),
      objects_(std::move(objects)),
      names_(source_, objects_, options_.queue.plan.order),
      outlet_(MakeOutlet(options_, objects_)),
      queue_(options_.queue, objects_, outlet_->memory()),
      fetchers_(&queue_, source_.get(), FetchLimits{options_.stall_seconds}),
      encoder_(options_.encoding, source_),
      settings_(DescribeSettings(options_)) {}

Feed::~Feed() { Stop(); }

void Feed::Start() {
  std::lock_guard<std::mutex> lock(lifecycle_mutex_);
  if (started_ || stopping_) {
    throw Error(ErrorKind::kFailedPrecondition, "the feed of channel '" + options_.channel +
                                                    "' was started before; make a new one");
  }
  started_ = true;
  outlet_->Announce(0, Head());
  queue_.BeginEpoch(0);
  fetchers_.Start();
  StartFeeding();
}

void Feed::StartFeeding() {
  const SignalsBlocked blocked;
  try {
    feeding_ = std::thread([this] { FeedEpochs(); });
  } catch (const std::system_error& error) {
    throw Error(ErrorKind::kInternal, "starting the feeding thread of channel '" +
                                          options_.channel + "': " + error.what());
  }
}

void Feed::Stop() {
  stopping_ = true;
  outlet_->Stop();
  queue_.Stop();
  std::lock_guard<std::mutex> lock(lifecycle_mutex_);
  fetchers_.Join();
  if (feeding_.joinable()) feeding_.join();
  outlet_->Leave();
}

Stats Feed::stats() const {
  Stats stats;
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    if (fatal_) throw *fatal_;
    stats = stats_;
  }
  queue_.AddTo(&stats);
  return stats;
}

void Feed::FeedEpochs() {
  try {
    for (;;) {
      const uint64_t epoch_before = DataEpoch();
      End end;
      try {
        end = FeedEpoch();
      } catch (const Error& error) {
        // First, so that no fetch gets a buffer back that a pipe still refers to.
        queue_.Stop();
        RecordEnd(error);
        throw;
      }
      fetch_ahead_ = end != End::kError && !ranged_ && options_.queue.plan_next_epoch;
      if (end != End::kForgotten) ++epoch_;
      if (keeps_epoch_) ahead_ = epoch_before - epoch_;
      outlet_->EndEpoch(epoch_, Head());
    }
  } catch (const Error& error) {
    EndFeeding(error);
  } catch (const std::exception& error) {
    EndFeeding(Error(ErrorKind::kInternal, "feeding " + DescribeEpoch() + ": " + error.what()));
  }
}

void Feed::EndFeeding(const Error& error) {
  queue_.Stop();
  outlet_->Leave();
  if (error.kind() == ErrorKind::kCancelled && stopping_) return;
  std::lock_guard<std::mutex> lock(stats_mutex_);
  fatal_ = error;
}

// Waits for the epoch's reader. Returns why it cannot have what it asks for.
std::optional<Error> Feed::AwaitReader() {
  objects_begun_ = objects_ended_ = 0;
  verifier_.Begin();
  encoder_.Begin();
  Note([this](Stats* stats) { stats->epoch = epoch_; });
  const Clock::time_point since = Clock::now();
  outlet_->AwaitReader();
  Note([since](Stats* stats) { stats->feeder_waited += SecondsSince(since); });
  resumed_.reset();
  ahead_before_ = ahead_;
  ranged_ = false;
  ReaderWish wish;
  std::optional<Error> refused;
  try {
    wish = outlet_->TakeWish();
    refused = Begin(wish);
  } catch (const Error& unreadable) {
    refused = unreadable;
  }
  // A reader that is not told that it gets what it asked for takes nothing.
  if (std::optional<Error> untold = Admit(); untold && wish.resume && !refused) refused = untold;
  keeps_epoch_ = ranged_ || refused;
  return refused;
}

// Returns why the reader cannot have what it wants.
std::optional<Error> Feed::Begin(const ReaderWish& wish) {
  PlanStart start;
  start.only = wish.objects;
  ranged_ = wish.objects.has_value();
  if (ranged_) {
    if (std::optional<Error> refused = RefuseObjects(options_)) return refused;
  }
  if (wish.resume && !ComesAnyway(*wish.resume)) return Resume(*wish.resume, std::move(start));
  if (ranged_) {
    queue_.ResumeEpoch(DataEpoch(), std::move(start));
  } else if (!fetch_ahead_ || queue_.EpochFailed()) {
    queue_.BeginEpoch(DataEpoch());
  }
  return std::nullopt;
}

// What has been fetched ahead is what such a reader wants.
bool Feed::ComesAnyway(const StreamPosition& position) const {
  return !ranged_ && position.epoch == DataEpoch() && position.name.empty() &&
         position.object == 0 && position.offset == 0 &&
         (position.settings.empty() || position.settings == settings_);
}

// Returns why the reader cannot be told what it gets.
std::optional<Error> Feed::Admit() {
  try {
    outlet_->Admit(Head());
    return std::nullopt;
  } catch (const Error& error) {
    GiveUpPositions(error);
    return error;
  }
}

// Who saves no checkpoint does not need them.
void Feed::GiveUpPositions(const Error& error) {
  Note([&error](Stats* stats) {
    stats->error = std::string("checkpoints of this epoch cannot be saved: ") + error.what();
  });
}

std::optional<Error> Feed::Resume(const StreamPosition& position, PlanStart start) {
  const std::string what =
      "resuming epoch " + std::to_string(position.epoch) + " of channel '" + options_.channel + "'";
  if (std::optional<Error> refused = RefusePosition(options_, position, what)) return refused;
  ahead_ = position.epoch - epoch_;
  start.objects = position.object;
  start.offset = position.offset;
  start.whole_object = options_.encoding.gunzip || options_.encoding.wrap_recordio;
  if (!position.name.empty()) {
    resumed_ = position;
    // With the queue's lock.
    start.check = [this, position, what](const ObjectRef& object) {
      return names_.Compare(position, object, what);
    };
  }
  objects_begun_ = objects_ended_ = position.object;
  queue_.ResumeEpoch(DataEpoch(), std::move(start));
  return std::nullopt;
}

// Tells the reader that this object begins, and finds out how much of it is to be left out.
void Feed::BeginObject(const PartSpec& spec) {
  LoggedObject object;
  object.object = spec.object_index;
  if (resumed_ && resumed_->object == spec.object_index) {
    object.offset = resumed_->offset;
    encoder_.Discard(object.offset - spec.offset);
  }
  resumed_.reset();
  if (options_.encoding.frame_objects) return;
  if (fingerprint_.empty()) fingerprint_ = names_.Fingerprint();
  object.name = names_.NameOf(spec.object);
  object.etag = names_.VersionOf(spec.object);
  object.objects = fingerprint_;
  try {
    outlet_->BeginObject(std::move(object));
  } catch (const Error& error) {
    GiveUpPositions(error);
  }
}

Feed::End Feed::FeedEpoch() {
  if (const std::optional<Error> refused = AwaitReader()) return FailEpoch(*refused);
  for (;;) {
    PartQueue::Popped popped = queue_.Pop([this] { return outlet_->ReaderGone(); });
    switch (popped.what) {
      case PartQueue::Popped::What::kPart:
        if (!Verified(popped.part)) break;
        try {
          if (!WritePart(popped.part)) return Abandon();
        } catch (const EncodingFailure& failure) {
          if (!MayFailAlone(*popped.part)) return FailEpoch(failure);
          if (!SkipObject(popped.part->spec, failure)) return Abandon();
        }
        break;
      case PartQueue::Popped::What::kStarved:
        // What was written is all that there is, so waiting until it is taken costs nothing.
        if (!outlet_->Drain()) return Abandon();
        break;
      case PartQueue::Popped::What::kEnd:
        return FinishEpoch(popped);
      case PartQueue::Popped::What::kFailed:
        if (!MayFailAlone(*popped.part)) return FailEpoch(PartError(*popped.part, *source_));
        if (!SkipObject(popped.part->spec, PartError(*popped.part, *source_))) return Abandon();
        break;
      case PartQueue::Popped::What::kLeft:
        return Abandon();
      case PartQueue::Popped::What::kStopped:
        throw Error(ErrorKind::kCancelled, "stopped feeding " + DescribeEpoch());
    }
  }
}

// Whether this object's failure is told in the stream, and the next object follows. Not when a part
// could not even be planned, for want of memory: that says nothing about its object.
bool Feed::MayFailAlone(const Part& part) const {
  const bool unplanned = part.state == Part::State::kFailed && part.tries == 0;
  return options_.encoding.frame_objects && !unplanned;
}

// False when the reader is gone.
bool Feed::SkipObject(const PartSpec& spec, const Error& error) {
  const uint64_t written = outlet_->bytes_written();
  objects_begun_ = spec.object_index + 1;
  const bool reading = encoder_.WriteFailure(error, outlet_.get());
  queue_.SkipObject(spec.object_index);
  std::lock_guard<std::mutex> lock(stats_mutex_);
  stats_.bytes_written += outlet_->bytes_written() - written;
  return reading;
}

// Where it is known to be the next.
void Feed::FetchAhead(uint64_t epoch) {
  if (options_.queue.plan_next_epoch && !ranged_) {
    queue_.BeginEpoch(epoch);
  } else {
    queue_.DropEpoch();
  }
}

// The reader has closed early.
Feed::End Feed::Abandon() {
  if (!outlet_->Touched()) return Forget();
  FetchAhead(DataEpoch() + 1);
  return RecordLeft();
}

Feed::End Feed::Forget() {
  ahead_ = ahead_before_;
  FetchAhead(DataEpoch());
  return End::kForgotten;
}

Feed::End Feed::RecordLeft() {
  const std::optional<Error> fault = outlet_->ReaderFault();
  if (!fault) return Record(Outcome::State::kAbandoned);
  Note([&fault](Stats* stats) { stats->error = fault->what(); });
  return Record(Outcome::State::kError, &*fault);
}

// False if the part is damaged: then it will be popped once more, or as failed.
bool Feed::Verified(const std::shared_ptr<Part>& part) {
  FetchResult failure;
  switch (verifier_.Check(*part, &failure)) {
    case ObjectVerifier::Verdict::kDamaged:
      queue_.Reject(part, std::move(failure));
      return false;
    case ObjectVerifier::Verdict::kVerified:
      Note([](Stats* stats) { ++stats->checksums_verified; });
      return true;
    case ObjectVerifier::Verdict::kUnknown:
      break;
  }
  return true;
}

bool Feed::WritePart(const std::shared_ptr<Part>& part) {
  const PartSpec& spec = part->spec;
  const uint64_t written = outlet_->bytes_written();
  const double blocked = outlet_->seconds_blocked();
  objects_begun_ = spec.object_index + 1;
  if (spec.begins_object || resumed_) BeginObject(spec);
  const bool reading = encoder_.Write(part, outlet_.get());
  std::lock_guard<std::mutex> lock(stats_mutex_);
  stats_.bytes_written += outlet_->bytes_written() - written;
  stats_.feeder_waited += outlet_->seconds_blocked() - blocked;
  if (reading && spec.ends_object) CountObjects(spec.object_index + 1);
  return reading;
}

// With the stats' lock: `ended` objects of this epoch are through, those without bytes included.
void Feed::CountObjects(uint64_t ended) {
  stats_.objects += ended - objects_ended_;
  objects_ended_ = ended;
}

Feed::End Feed::FinishEpoch(const PartQueue::Popped& end) {
  if (end.list_failure) return FailEpoch(*end.list_failure);
  objects_begun_ = end.objects;
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    CountObjects(end.objects);
  }
  // A shard may be empty; a channel may not.
  if (objects_->size() == 0) {
    return FailEpoch(Error(ErrorKind::kNotFound,
                           "channel '" + options_.channel +
                               "' has no objects: the listing ended without one; check the bucket "
                               "and the prefix, or the folder"));
  }
  // The next epoch's first part is fetched while this one's last bytes are read.
  FetchAhead(DataEpoch() + 1);
  if (outlet_->Drain()) return Record(Outcome::State::kDone);
  return outlet_->Touched() ? RecordLeft() : Forget();
}

Feed::End Feed::FailEpoch(const Error& error) {
  Note([&error](Stats* stats) { stats->error = error.what(); });
  // The records before the error are good, and their buffers must outlive their reading.
  const bool drained = outlet_->Drain();
  if (!drained || outlet_->ReaderGone()) return Abandon();         // there is nobody to tell
  if (std::exchange(resumed_, std::nullopt)) keeps_epoch_ = true;  // it never came so far
  queue_.DropEpoch();
  return Record(Outcome::State::kError, &error);
}

Feed::End Feed::Record(Outcome::State state, const Error* error) {
  Outcome outcome;
  outcome.state = state;
  outcome.bytes = outlet_->bytes_written();
  outcome.objects = objects_begun_;
  if (error) {
    outcome.error_kind = error->kind();
    outcome.error_message = error->what();
  }
  // Before its reader is told, who may look at once.
  if (state == Outcome::State::kDone) Note([](Stats* stats) { ++stats->epochs_done; });
  outlet_->Record(outcome);
  if (state == Outcome::State::kError) return End::kError;
  return state == Outcome::State::kAbandoned ? End::kAbandoned : End::kDone;
}

// The feeding thread is about to end, because of Stop or because the outlet fails it.
void Feed::RecordEnd(const Error& error) {
  const Error stopped(ErrorKind::kUnavailable, "the prefetcher was stopped after " +
                                                   std::to_string(outlet_->bytes_written()) +
                                                   " bytes of " + DescribeEpoch());
  try {
    Record(Outcome::State::kError, stopping_ ? &stopped : &error);
  } catch (const Error&) {
    // The directory is gone: `error` says so already, to whoever asks for the stats.
  }
}

std::string Feed::DescribeEpoch() const {
  return "epoch " + std::to_string(epoch_) + " of channel '" + options_.channel + "'";
}

}  // namespace smtf
