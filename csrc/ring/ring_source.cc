#include "ring/ring_source.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "errors.h"
#include "pipe/restored_epochs.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds kWaitStep{1000};
// For an answer that the prefetcher's thread has at hand.
constexpr milliseconds kNextTimeout{10'000};

[[noreturn]] void ThrowAsTold(const Outcome& outcome) {
  throw Error(outcome.error_kind.value_or(ErrorKind::kInternal), outcome.error_message);
}

StreamPosition Behind(StreamPosition position) {
  StreamPosition next;
  next.epoch = position.epoch + 1;
  next.settings = std::move(position.settings);
  return next;
}

}  // namespace

RingSource::RingSource(RingSourceOptions options, const Wakeup* cancel)
    : options_(std::move(options)), cancel_(cancel) {}

RingSource::~RingSource() = default;

void RingSource::Resume(StreamPosition position) {
  LeaveToOthers(Behind(position));
  resume_ = std::move(position);
}

void RingSource::EndedIn(const StreamPosition& position) { LeaveToOthers(Behind(position)); }

void RingSource::BeginFrom(const StreamPosition& position) { LeaveToOthers(position); }

// Some objects are no epoch.
void RingSource::LeaveToOthers(const StreamPosition& next) {
  if (!options_.objects) EpochsOfRestored().Leave(options_.address, next);
}

bool RingSource::Open() {
  if (!epoch_) Begin();
  return true;
}

std::optional<StreamPosition> RingSource::PositionAt(uint64_t offset) {
  if (!epoch_) return NextPosition();
  StreamPosition position = objects_.PositionAt(offset);
  // No object has begun: it may have failed to.
  return position.name.empty() && resume_ ? *resume_ : position;
}

size_t RingSource::Read(char* dst, size_t max) { return ReadScatter(dst, max, nullptr, 0); }

size_t RingSource::ReadScatter(char* dst, size_t max, char* spill, size_t spill_max) {
  if (failure_) throw *failure_;
  if (!epoch_) Begin();
  RequireSameProcess();
  try {
    return ReadSome(dst, max, spill, spill_max);
  } catch (const Error& error) {
    LetGo(error);
    throw;
  }
}

size_t RingSource::ReadSome(char* dst, size_t max, char* spill, size_t spill_max) {
  const size_t wanted = max + spill_max;
  size_t got = 0;
  std::string_view bytes = NextBytes();
  while (got < wanted && !bytes.empty()) {
    char* const to = got < max ? dst + got : spill + (got - max);
    const size_t size = std::min(bytes.size(), (got < max ? max : wanted) - got);
    std::memcpy(to, bytes.data(), size);
    reader_->Take(size);
    bytes_read_ += size;
    got += size;
    bytes = BytesThere();
  }
  if (reader_->WriterIsToWake()) room_->Send();
  return got;
}

std::string RingSource::Describe() const {
  return (epoch_ ? "epoch " + std::to_string(*epoch_) : std::string("the stream")) +
         " of channel " + options_.channel;
}

// Without a word it is the epoch behind those of restored iterators, where there are any. Readers
// that wait for their turn together have each their own.
void RingSource::Begin() {
  const std::string& key = options_.address;
  std::optional<StreamPosition> taken;
  if (!resume_ && !options_.objects) taken = EpochsOfRestored().Take(key, key);
  if (taken) resume_ = taken;
  try {
    Connect();
  } catch (...) {
    if (taken) {
      EpochsOfRestored().GiveBack(key, taken->epoch);
      resume_.reset();
    }
    throw;
  }
}

void RingSource::Connect() {
  RingHello hello;
  hello.objects = options_.objects;
  hello.resume = resume_;
  // Not call_ until all is there: one that fails to begin gives up its place in the queue.
  auto call = std::make_unique<RingCall>(CallOptions(), hello, cancel_);
  const RingAnswer answer = call->AwaitAnswer();
  // A feed that ends may have nothing else to say.
  const auto* outcome = std::get_if<Outcome>(&answer);
  if (outcome && outcome->state == Outcome::State::kError) ThrowAsTold(*outcome);
  const auto* head = std::get_if<RingHead>(&answer);
  std::vector<FileDescriptor> descriptors = call->TakeDescriptors();
  if (!head || (descriptors.size() != 3 && descriptors.size() != 4)) {
    throw Error(ErrorKind::kDataLoss, call->DescribePrefetcher() + " gave something else than a " +
                                          "ring; it is not of this version");
  }
  std::optional<BorrowedMemory> borrowed;
  if (descriptors.size() == 4) borrowed.emplace(descriptors[3]);
  reader_.emplace(RingMemory::Attach(std::move(descriptors[0])), std::move(borrowed));
  data_.emplace(std::move(descriptors[1]));
  room_.emplace(std::move(descriptors[2]));
  call_ = std::move(call);
  objects_.Begin(head->epoch, head->settings);
  epoch_ = head->number;
  process_ = getpid();
  if (!options_.objects) {
    EpochsOfRestored().Began(options_.address, options_.address, head->epoch);
  }
}

void RingSource::GiveUp() {
  if (call_) LetGo(Error(ErrorKind::kFailedPrecondition, Describe() + " was given up half-read"));
}

// A failed iterator may live on for long, and must not keep the channel from others.
void RingSource::LetGo(const Error& error) {
  failure_ = error;
  reader_.reset();  // first: it says what was taken
  call_.reset();
}

// Before the first read: the beginning of the epoch that would be next.
StreamPosition RingSource::NextPosition() const {
  if (resume_) return *resume_;
  if (const auto left = EpochsOfRestored().Next(options_.address, options_.address)) return *left;
  RingCallOptions options = CallOptions();
  options.timeout = std::min(options.timeout, kNextTimeout);
  RingHello hello;
  hello.want = RingHello::Want::kNext;
  const RingAnswer answer = RingCall(std::move(options), hello, cancel_).AwaitAnswer();
  const auto* next = std::get_if<StreamPosition>(&answer);
  return next ? *next : StreamPosition();
}

// What comes next and is there already: it lies in the ring. Empty where nothing is.
std::string_view RingSource::BytesThere() {
  while (const std::optional<RingReader::Item> item = reader_->Next()) {
    if (item->kind == RingFrame::kBytes) return item->content;
    objects_.Add(bytes_read_, item->content);
    reader_->TakeObject();
  }
  return {};
}

// What comes next, waited for; empty at the end.
std::string_view RingSource::NextBytes() {
  std::optional<Clock::time_point> since;
  while (!ended_) {
    if (cancel_->signalled()) throw Error(ErrorKind::kCancelled, "stopped reading " + Describe());
    const bool last = gone_ || outcome_;  // before the look: what was put by then is all
    const std::string_view bytes = BytesThere();
    if (!bytes.empty()) return bytes;
    if (last) {
      ended_ = true;
      EndAsTold();
    } else {
      if (!since) since = Clock::now();
      WaitForFrames(*since);
    }
  }
  return {};
}

// Nothing more will come.
void RingSource::EndAsTold() {
  if (!outcome_) {
    throw Error(ErrorKind::kUnavailable,
                call_->DescribePrefetcher() + " is gone: it ended without a word after " +
                    std::to_string(bytes_read_) + " bytes of " + Describe() +
                    "; it was killed, or the machine had no memory left: see its log");
  }
  if (outcome_->state == Outcome::State::kError) {
    const bool begun = !objects_.PositionAt(0).name.empty() || bytes_read_ > 0;
    if (resume_ && !begun) EpochsOfRestored().Forget(options_.address);
    ThrowAsTold(*outcome_);
  }
  if (outcome_->bytes == bytes_read_) return;
  throw Error(ErrorKind::kDataLoss, Describe() + " has " + std::to_string(outcome_->bytes) +
                                        " bytes and " + std::to_string(bytes_read_) +
                                        " came through the ring");
}

void RingSource::WaitForFrames(Clock::time_point since) {
  if (reader_->WriterIsToWake()) room_->Send();
  if (!reader_->MaySleep()) return;
  const auto began = Clock::now();
  const milliseconds limit = options_.stall_timeout;
  const auto before = duration_cast<milliseconds>(began - since);
  milliseconds step = kWaitStep;
  if (limit.count() > 0) step = std::clamp(limit - before, milliseconds{0}, step);
  pollfd polled[3] = {
      {data_->fd(), POLLIN, 0}, {cancel_->fd(), POLLIN, 0}, {call_->fd(), POLLIN, 0}};
  const int ready = poll(polled, 3, static_cast<int>(step.count()));
  reader_->Awake();
  if (polled[0].revents != 0) data_->Clear();
  const auto now = Clock::now();
  stalled_ms_ += duration_cast<milliseconds>(now - began).count();
  if (ready > 0 && polled[2].revents != 0) Listen();
  const auto waited = duration_cast<milliseconds>(now - since);
  if (ready == 0 && limit.count() > 0 && waited >= limit) {
    throw Error(ErrorKind::kDeadlineExceeded,
                "no byte of " + Describe() + " came for " + std::to_string(waited.count() / 1000) +
                    " s, after " + std::to_string(bytes_read_) + " bytes; see what " +
                    call_->DescribePrefetcher() + " is doing, or raise stall_timeout");
  }
  if (ready <= 0 && options_.on_interrupt) options_.on_interrupt();
}

void RingSource::Listen() {
  const RingPacket packet = call_->Listen();
  if (packet.what == RingPacket::What::kEnd) gone_ = true;
  if (packet.what != RingPacket::What::kText) return;
  const RingAnswer answer = ParseAnswer(packet.text);
  if (const auto* outcome = std::get_if<Outcome>(&answer)) outcome_ = *outcome;
}

void RingSource::RequireSameProcess() const {
  if (getpid() == process_) return;
  throw Error(ErrorKind::kFailedPrecondition,
              Describe() + " is read by process " + std::to_string(process_) +
                  ", of which this one is a fork; make an iterator of its own here");
}

RingCallOptions RingSource::CallOptions() const {
  RingCallOptions options;
  options.address = options_.address;
  options.channel = options_.channel;
  options.timeout = options_.timeout;
  options.started = options_.started;
  options.log = options_.log;
  options.on_interrupt = options_.on_interrupt;
  // Readers among whom objects are dealt out wait for each other all the time.
  options.patient = options_.objects.has_value();
  return options;
}

}  // namespace smtf
