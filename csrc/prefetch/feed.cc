#include "prefetch/feed.h"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <system_error>
#include <utility>

#include "prefetch/signals_blocked.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kSmallestPart = 4096;
constexpr size_t kLargestPart = size_t{1} << 30;
constexpr int kMostConnections = 1024;

double SecondsSince(Clock::time_point since) {
  return std::chrono::duration<double>(Clock::now() - since).count();
}

// An object that cannot be encoded; unlike what is wrong with the pipe it ends only its epoch.
class EncodingFailure : public Error {
 public:
  using Error::Error;
};

void Require(bool holds, const std::string& what) {
  if (!holds) throw Error(ErrorKind::kInvalidArgument, what);
}

FeedOptions Checked(FeedOptions options) {
  const TunerOptions& tuner = options.queue.tuner;
  Require(!options.channel.empty() && options.channel.find('/') == std::string::npos,
          "'" + options.channel + "' cannot be a channel's name: it is part of a file's name");
  Require(tuner.connections >= 0 && tuner.connections <= kMostConnections,
          "connections is " + std::to_string(tuner.connections) +
              "; it must be 1 to 1024, or 0 to have the number found");
  Require(
      tuner.most_connections >= 1 && tuner.most_connections <= kMostConnections,
      "most_connections is " + std::to_string(tuner.most_connections) + "; it must be 1 to 1024");
  Require(tuner.part_bytes == 0 ||
              (tuner.part_bytes >= kSmallestPart && tuner.part_bytes <= kLargestPart),
          "part_bytes is " + std::to_string(tuner.part_bytes) +
              "; it must be 4 KiB to 1 GiB, or 0 to have the size found");
  Require(options.queue.plan.first_part_bytes >= 1, "first_part_bytes is 0; it must be at least 1");
  const size_t least = BufferPool::CapacityFor(std::max(tuner.part_bytes, kSmallestPart));
  Require(tuner.memory_bytes >= least, "memory_bytes is " + std::to_string(tuner.memory_bytes) +
                                           "; one part's buffer alone takes " +
                                           std::to_string(least));
  Require(options.queue.retry.tries >= 1, "retry_tries is 0; it must be at least 1");
  Require(options.queue.retry.seconds >= 0, "retry_seconds must not be negative");
  Require(options.stall_seconds > 0, "stall_seconds must be positive");
  return options;
}

// What decides the stream beside the objects.
std::string DescribeSettings(const FeedOptions& options) {
  const OrderOptions& order = options.queue.plan.order;
  std::string text =
      order.shuffle_seed ? "shuffled with seed " + std::to_string(*order.shuffle_seed) : "in order";
  if (order.group > 1) text += ", in groups of " + std::to_string(order.group);
  text += ", shard " + std::to_string(order.shard) + " of " + std::to_string(order.shards);
  if (options.encoding.gunzip) text += ", decompressed";
  if (options.encoding.wrap_recordio) text += ", wrapped in RecordIO";
  return text;
}

std::string Hexadecimal(uint64_t number) {
  char digits[20];
  std::snprintf(digits, sizeof(digits), "%016" PRIx64, number);
  return digits;
}

// What tells an object from what was there before under its name.
std::string Version(const ObjectRef& object) {
  if (!object.etag.empty()) return std::string(object.etag);
  const std::string size = std::to_string(object.size) + " bytes";
  if (object.source != kInlineSource) return size;
  return size + " " + Hexadecimal(ExtendChecksum(ChecksumKind::kCrc64Nvme, 0, object.name));
}

}  // namespace

Feed::Feed(FeedOptions options, std::shared_ptr<ObjectSource> source,
           std::shared_ptr<ObjectList> objects)
    : options_(Checked(std::move(options))),
      source_(std::move(source)),
      objects_(std::move(objects)),
      queue_(options_.queue, objects_),
      fetchers_(&queue_, source_.get(), FetchLimits{options_.stall_seconds}),
      encoder_(MakeObjectEncoder(options_.encoding)),
      settings_(DescribeSettings(options_)) {
  claim_.emplace(options_.pipe_dir, options_.channel);
}

Feed::~Feed() { Stop(); }

void Feed::Start() {
  std::lock_guard<std::mutex> lock(lifecycle_mutex_);
  if (started_ || stop_.signalled()) {
    throw Error(ErrorKind::kFailedPrecondition, "the feed of channel '" + options_.channel +
                                                    "' was started before; make a new one");
  }
  started_ = true;
  fifo_path_ = claim_->BeginEpoch(0);
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
  stop_.Signal();
  queue_.Stop();
  std::lock_guard<std::mutex> lock(lifecycle_mutex_);
  fetchers_.Join();
  if (feeding_.joinable()) feeding_.join();
  claim_.reset();
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
    for (;; ++epoch_) {
      FifoWriter writer(fifo_path_, &stop_);
      try {
        fetch_ahead_ = FeedEpoch(&writer) != End::kError && options_.queue.plan_next_epoch;
      } catch (const Error& error) {
        // First, so that no fetch gets a buffer back that the pipe still refers to.
        queue_.Stop();
        RecordEnd(writer, error);
        throw;
      }
      // Before the pipe is closed, so that a reader that sees its end finds the next.
      fifo_path_ = claim_->BeginEpoch(epoch_ + 1);
      writer.Close();
      claim_->RemoveFifo(epoch_);
    }
  } catch (const Error& error) {
    EndFeeding(error);
  } catch (const std::exception& error) {
    EndFeeding(Error(ErrorKind::kInternal, "feeding " + DescribeEpoch() + ": " + error.what()));
  }
}

void Feed::EndFeeding(const Error& error) {
  queue_.Stop();
  if (error.kind() == ErrorKind::kCancelled && stop_.signalled()) return;
  // Without a claim the channel's readers see that nobody feeds it any more.
  claim_.reset();
  std::lock_guard<std::mutex> lock(stats_mutex_);
  fatal_ = error;
}

// Waits for the epoch's reader. Returns why it cannot have what it asks for.
std::optional<Error> Feed::AwaitReader(FifoWriter* writer) {
  objects_begun_ = 0;
  objects_ended_ = 0;
  verifier_.Begin();
  encoder_->Begin();
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    stats_.epoch = epoch_;
  }
  const Clock::time_point since = Clock::now();
  writer->Open();
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    stats_.feeder_waited += SecondsSince(since);
  }
  resumed_.reset();
  discard_ = 0;
  std::optional<ResumeRequest> request;
  std::optional<Error> refused;
  try {
    request = claim_->TakeRequest(epoch_);
  } catch (const Error& unreadable) {
    refused = unreadable;
  }
  if (!request && (!fetch_ahead_ || queue_.EpochFailed())) queue_.BeginEpoch(DataEpoch());
  if (request) refused = Resume(*request);
  if (!options_.encoding.frame_objects) BeginLog(request ? request->id : "");
  return refused;
}

void Feed::BeginLog(const std::string& request) {
  try {
    log_ = claim_->LogObjects(epoch_, {DataEpoch(), settings_, request});
  } catch (const Error& error) {
    log_.reset();
    GiveUpLog(error);
  }
}

// Who saves no checkpoint does not need it.
void Feed::GiveUpLog(const Error& error) {
  if (log_) log_->GiveUp();
  log_.reset();
  std::lock_guard<std::mutex> lock(stats_mutex_);
  stats_.error = std::string("checkpoints of this epoch cannot be saved: ") + error.what();
}

std::string Feed::NameOf(const ObjectRef& object) const {
  return object.source == kInlineSource ? "an inline entry" : source_->Describe(object);
}

// Of all objects, where the order of an epoch depends on all of them and all are known.
std::string Feed::Fingerprint() const {
  const OrderOptions& order = options_.queue.plan.order;
  const ObjectList::Extent list = objects_->extent();
  if (!list.finished || list.failed || (!order.shuffle_seed && order.shards == 1)) return "";
  uint64_t sum = 0;
  for (size_t i = 0; i < list.size; ++i) {
    const ObjectRef object = (*objects_)[i];
    for (const std::string_view text : {object.name, object.etag}) {
      sum = ExtendChecksum(ChecksumKind::kCrc64Nvme, sum, text);
    }
    const std::string size = "/" + std::to_string(object.size) + "/";
    sum = ExtendChecksum(ChecksumKind::kCrc64Nvme, sum, size);
  }
  return std::to_string(list.size) + " objects " + Hexadecimal(sum);
}

std::optional<Error> Feed::Resume(const ResumeRequest& request) {
  const StreamPosition& position = request.position;
  const std::string what =
      "resuming epoch " + std::to_string(position.epoch) + " of channel '" + options_.channel + "'";
  if (options_.encoding.frame_objects) {
    return Error(ErrorKind::kInvalidArgument, what + ": a stream of framed objects has no epochs");
  }
  if (!position.settings.empty() && position.settings != settings_) {
    return Error(ErrorKind::kFailedPrecondition,
                 what + ": it was saved of a channel that is " + position.settings +
                     ", and this one is " + settings_ +
                     "; start the prefetcher as it was, or begin without the checkpoint");
  }
  ahead_before_ = std::exchange(ahead_, position.epoch - epoch_);
  PlanStart start;
  start.objects = position.object;
  start.offset = position.offset;
  start.whole_object = options_.encoding.gunzip || options_.encoding.wrap_recordio;
  if (!position.name.empty()) {
    resumed_ = position;
    start.check = [this, position](const ObjectRef& object) {
      return CheckObject(position, object);
    };
  }
  objects_begun_ = objects_ended_ = position.object;
  queue_.ResumeEpoch(DataEpoch(), std::move(start));
  return std::nullopt;
}

// With the queue's lock.
std::optional<Error> Feed::CheckObject(const StreamPosition& position,
                                       const ObjectRef& object) const {
  const std::string name = AsJsonText(NameOf(object));
  const std::string version = AsJsonText(Version(object));
  std::string seen;
  if (name != position.name) {
    seen = "and in its place of the epoch is " + name + " now";
  } else if (version != position.etag) {
    seen = "which is " + version + " now";
  } else {
    const std::string objects = position.objects.empty() ? "" : Fingerprint();
    if (objects.empty() || objects == position.objects) return std::nullopt;
    seen = "which were " + position.objects + " and are " + objects;
  }
  return Error(ErrorKind::kFailedPrecondition,
               "resuming epoch " + std::to_string(position.epoch) + " of channel '" +
                   options_.channel + "' in " + position.name + " (" + position.etag +
                   ", object number " + std::to_string(position.object) +
                   "): it was changed, or the channel's objects were, " + seen +
                   "; put back what was there, or begin without the checkpoint");
}

// Says in the log that this object begins, and finds out how much of it is to be left out.
void Feed::BeginObject(const FifoWriter& writer, const PartSpec& spec) {
  uint64_t offset = 0;
  if (resumed_ && resumed_->object == spec.object_index) {
    offset = resumed_->offset;
    discard_ = offset - spec.offset;
  }
  resumed_.reset();
  if (!log_) return;
  if (fingerprint_.empty()) fingerprint_ = Fingerprint();
  try {
    log_->Add({writer.bytes_written(), spec.object_index, NameOf(spec.object), Version(spec.object),
               offset, fingerprint_});
  } catch (const Error& error) {
    GiveUpLog(error);
  }
}

Feed::End Feed::FeedEpoch(FifoWriter* writer) {
  if (const std::optional<Error> refused = AwaitReader(writer)) return FailEpoch(writer, *refused);
  for (;;) {
    PartQueue::Popped popped = queue_.Pop();
    switch (popped.what) {
      case PartQueue::Popped::What::kPart:
        if (!Verified(popped.part)) break;
        try {
          if (!WritePart(writer, popped.part)) return Abandon(*writer);
        } catch (const EncodingFailure& failure) {
          if (!MayFailAlone(*popped.part)) return FailEpoch(writer, failure);
          if (!SkipObject(writer, popped.part->spec, failure)) return Abandon(*writer);
        }
        break;
      case PartQueue::Popped::What::kStarved:
        // What is in the pipe is all that there is, so waiting until it is empty costs nothing.
        if (!writer->Drain()) return Abandon(*writer);
        break;
      case PartQueue::Popped::What::kEnd:
        return FinishEpoch(writer, popped);
      case PartQueue::Popped::What::kFailed:
        if (!MayFailAlone(*popped.part)) return FailEpoch(writer, PartError(*popped.part));
        if (!SkipObject(writer, popped.part->spec, PartError(*popped.part))) {
          return Abandon(*writer);
        }
        break;
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
bool Feed::SkipObject(FifoWriter* writer, const PartSpec& spec, const Error& error) {
  const auto sink = [writer](std::string_view bytes, std::shared_ptr<const void> owner) {
    return writer->Write(bytes, std::move(owner));
  };
  const uint64_t written = writer->bytes_written();
  objects_begun_ = spec.object_index + 1;
  const bool reading = encoder_->WriteFailure(error, sink);
  queue_.SkipObject(spec.object_index);
  std::lock_guard<std::mutex> lock(stats_mutex_);
  stats_.bytes_written += writer->bytes_written() - written;
  return reading;
}

void Feed::BeginNextEpoch() {
  if (options_.queue.plan_next_epoch) {
    queue_.BeginEpoch(DataEpoch() + 1);
  } else {
    queue_.DropEpoch();
  }
}

// The reader has closed early.
Feed::End Feed::Abandon(const FifoWriter& writer) {
  BeginNextEpoch();
  return Record(writer, Outcome::State::kAbandoned, nullptr);
}

// False if the part is damaged: then it will be popped once more, or as failed.
bool Feed::Verified(const std::shared_ptr<Part>& part) {
  FetchResult failure;
  switch (verifier_.Check(*part, &failure)) {
    case ObjectVerifier::Verdict::kDamaged:
      queue_.Reject(part, std::move(failure));
      return false;
    case ObjectVerifier::Verdict::kVerified: {
      std::lock_guard<std::mutex> lock(stats_mutex_);
      ++stats_.checksums_verified;
      return true;
    }
    case ObjectVerifier::Verdict::kUnknown:
      break;
  }
  return true;
}

bool Feed::WritePart(FifoWriter* writer, const std::shared_ptr<Part>& part) {
  const PartSpec& spec = part->spec;
  const uint64_t written = writer->bytes_written();
  const double blocked = writer->seconds_blocked();
  objects_begun_ = spec.object_index + 1;
  if (spec.begins_object || resumed_) BeginObject(*writer, spec);
  const bool reading = Encode(writer, part);
  std::lock_guard<std::mutex> lock(stats_mutex_);
  stats_.bytes_written += writer->bytes_written() - written;
  stats_.feeder_waited += writer->seconds_blocked() - blocked;
  if (reading && spec.ends_object) CountObjects(spec.object_index + 1);
  return reading;
}

bool Feed::Encode(FifoWriter* writer, const std::shared_ptr<Part>& part) {
  bool pipe_failed = false;
  const auto sink = [this, writer, &pipe_failed](std::string_view bytes,
                                                 std::shared_ptr<const void> owner) {
    const size_t had = std::min<uint64_t>(discard_, bytes.size());
    discard_ -= had;
    bytes.remove_prefix(had);
    if (bytes.empty()) return true;
    pipe_failed = true;  // unless this comes to its end
    const bool reading = writer->Write(bytes, std::move(owner));
    pipe_failed = false;
    return reading;
  };
  try {
    const bool reading = encoder_->Write(part->spec, part->bytes(), part, sink);
    if (part->spec.ends_object && discard_ > 0) {
      throw Error(ErrorKind::kFailedPrecondition,
                  "it ends " + std::to_string(discard_) +
                      " bytes before the position that should be gone on from; it was changed, so "
                      "begin without the checkpoint");
    }
    return reading;
  } catch (const Error& error) {
    if (pipe_failed) throw;
    throw EncodingFailure(error.kind(), source_->Describe(part->spec.object) + ": " + error.what());
  }
}

// With the stats' lock: `ended` objects of this epoch are through, those without bytes included.
void Feed::CountObjects(uint64_t ended) {
  stats_.objects += ended - objects_ended_;
  objects_ended_ = ended;
}

Feed::End Feed::FinishEpoch(FifoWriter* writer, const PartQueue::Popped& end) {
  if (end.list_failure) return FailEpoch(writer, *end.list_failure);
  objects_begun_ = end.objects;
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    CountObjects(end.objects);
  }
  // A shard may be empty; a channel may not.
  if (objects_->size() == 0) {
    return FailEpoch(writer, Error(ErrorKind::kNotFound,
                                   "channel '" + options_.channel +
                                       "' has no objects: the listing ended without one; check "
                                       "the bucket and the prefix, or the folder"));
  }
  // The next epoch's first part is fetched while this one's last bytes are read.
  BeginNextEpoch();
  return Record(*writer, writer->Drain() ? Outcome::State::kDone : Outcome::State::kAbandoned,
                nullptr);
}

Feed::End Feed::FailEpoch(FifoWriter* writer, const Error& error) {
  {
    std::lock_guard<std::mutex> lock(stats_mutex_);
    stats_.error = error.what();
  }
  // The records before the error are good, and their buffers must outlive their reading.
  writer->Drain();
  if (std::exchange(resumed_, std::nullopt)) ahead_ = ahead_before_;  // it never came so far
  queue_.DropEpoch();
  return Record(*writer, Outcome::State::kError, &error);
}

Feed::End Feed::Record(const FifoWriter& writer, Outcome::State state, const Error* error) {
  Outcome outcome;
  outcome.state = state;
  outcome.bytes = writer.bytes_written();
  outcome.objects = objects_begun_;
  if (error) {
    outcome.error_kind = error->kind();
    outcome.error_message = error->what();
  }
  claim_->RecordOutcome(epoch_, outcome);
  if (state == Outcome::State::kError) return End::kError;
  if (state == Outcome::State::kAbandoned) return End::kAbandoned;
  std::lock_guard<std::mutex> lock(stats_mutex_);
  ++stats_.epochs_done;
  return End::kDone;
}

// The feeding thread is about to end, because of Stop or because the directory fails it.
void Feed::RecordEnd(const FifoWriter& writer, const Error& error) {
  const Error stopped(ErrorKind::kUnavailable, "the prefetcher was stopped after " +
                                                   std::to_string(writer.bytes_written()) +
                                                   " bytes of " + DescribeEpoch());
  try {
    Record(writer, Outcome::State::kError, stop_.signalled() ? &stopped : &error);
  } catch (const Error&) {
    // The directory is gone: `error` says so already, to whoever asks for the stats.
  }
}

Error Feed::PartError(const Part& part) const {
  const FetchResult& failure = part.failure;
  const uint64_t begin = part.spec.offset;
  std::string message = source_->Describe(part.spec.object) + " bytes " + std::to_string(begin) +
                        "-" + std::to_string(begin + part.spec.size - 1) + ": " + failure.what;
  if (part.tries > 1) {
    char effort[64];
    std::snprintf(effort, sizeof(effort), " after %u tries in %.1f s", part.tries,
                  std::chrono::duration<double>(part.last_failure - part.first_try).count());
    message += effort;
  }
  if (!failure.advice.empty()) message += "; " + failure.advice;
  return Error(failure.kind, message);
}

std::string Feed::DescribeEpoch() const {
  return "epoch " + std::to_string(epoch_) + " of channel '" + options_.channel + "'";
}

}  // namespace smtf
