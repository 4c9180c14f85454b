#include "ring/ring_outlet.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "pipe/stream_position.h"
#include "ring/ring_messages.h"
#include "ring/ring_socket.h"

namespace smtf {
namespace {

using Clock = std::chrono::steady_clock;

// Of frames: bytes of small pieces, and what is said of others.
constexpr size_t kCapacity = 1024 * 1024;
// A writer that found the ring full sleeps until so much of it is free, so that it is not woken for
// every frame.
constexpr size_t kRoomBytes = kCapacity / 4;
// Below this a copy costs no more than a loan.
constexpr size_t kLeastLent = 16 * 1024;
// In one frame, so that the reader gives back in steps.
constexpr size_t kMostInLoan = 256 * 1024;
// Beyond that nothing more is lent, until half of it has come back: each part that is lent is a
// buffer that cannot be fetched into.
constexpr size_t kMostLent = 4 * 1024 * 1024;

StreamPosition PositionOf(const EpochHead& head) {
  StreamPosition position;
  position.epoch = head.epoch;
  position.settings = head.settings;
  return position;
}

}  // namespace

RingOutlet::RingOutlet(const std::string& address, size_t memory_bytes,
                       std::function<std::optional<uint64_t>()> count_units)
    : lent_(LentMemory::Make(2 * memory_bytes)), server_(address, std::move(count_units)) {}

void RingOutlet::Stop() noexcept {
  stop_.Signal();
  server_.Stop();
}

void RingOutlet::Announce(uint64_t number, const EpochHead& next) {
  number_ = number;
  server_.SetNext(PositionOf(next));
}

void RingOutlet::AwaitReader() {
  bytes_written_ = 0;
  seconds_blocked_ = 0;
  for (;;) {
    peer_ = server_.AwaitReader();
    try {
      return MakeRing();
    } catch (const Error& error) {
      // For the next one there may be memory and descriptors again.
      SendPacket(peer_->socket.get(),
                 FormatError(Error(error.kind(), std::string("giving this reader a ring: ") +
                                                     error.what() +
                                                     "; see the prefetcher's memory and its limit "
                                                     "of open files (ulimit -n)")));
      Close();
    }
  }
}

void RingOutlet::MakeRing() {
  memory_.emplace(RingMemory::Make(kCapacity));
  writer_.emplace(&*memory_);
  data_.emplace();
  room_.emplace();
}

void RingOutlet::Admit(const EpochHead& head) {
  positions_ = head.positions;
  StreamPosition next = PositionOf(head);
  if (!peer_->hello.objects) ++next.epoch;
  server_.SetNext(std::move(next));
  std::vector<int> descriptors = {memory_->fd(), data_->fd(), room_->fd()};
  if (lent_) descriptors.push_back(lent_->fd());
  const int socket = peer_->socket.get();
  if (SendPacket(socket, FormatHead({number_, head.epoch, head.settings}), descriptors)) return;
  // One that has gone hears nothing of this; one that is there must not wait for ever.
  SendPacket(socket, FormatError(SystemError("sending this reader its ring", errno)));
  shutdown(socket, SHUT_RDWR);
}

void RingOutlet::BeginObject(LoggedObject object) {
  if (!positions_) return;
  StreamPosition position;  // its epoch and settings are in the head
  position.object = object.object;
  position.name = std::move(object.name);
  position.etag = std::move(object.etag);
  position.offset = object.offset;
  position.objects = std::move(object.objects);
  std::string text = FormatPosition(position);
  if (text.size() > RingWriter::kMostFrameBytes) {
    positions_ = false;
    throw Error(ErrorKind::kInvalidArgument, "the name and ETag of object number " +
                                                 std::to_string(object.object) + " take " +
                                                 std::to_string(text.size()) + " bytes");
  }
  objects_.push_back(std::move(text));
}

bool RingOutlet::Write(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (stop_.signalled()) throw Error(ErrorKind::kCancelled, "stopped writing to the ring");
  if (bytes.empty()) return true;
  TakeBack();
  if (!PutObjects()) return false;
  const bool lend = bytes.size() >= kLeastLent && lent_ && lent_->Owns(bytes.data());
  const bool reading = lend ? Lend(bytes, owner) : Copy(bytes);
  Publish();
  return reading;
}

bool RingOutlet::Drain() {
  const bool drained = AwaitTaken(writer_->bytes_end());
  TakeBack();
  return drained;
}

void RingOutlet::Record(const Outcome& outcome) {
  if (!peer_) return;
  SendPacket(peer_->socket.get(), FormatEnd(outcome));
  // It may not look into what it was lent any more, as that is given back now.
  if (writer_ && writer_->reader_is_broken()) shutdown(peer_->socket.get(), SHUT_RDWR);
}

std::optional<Error> RingOutlet::ReaderFault() const {
  if (!writer_->reader_is_broken()) return std::nullopt;
  return Error(ErrorKind::kDataLoss, "process " + std::to_string(peer_->pid) +
                                         " said it had taken " +
                                         std::to_string(writer_->claimed()) + " of " +
                                         std::to_string(writer_->put()) + " bytes of its ring");
}

void RingOutlet::EndEpoch(uint64_t next_number, const EpochHead& next) {
  Announce(next_number, next);
  Close();
}

void RingOutlet::Leave() noexcept {
  // The reader may not have read all of what it was lent.
  if (lent_) lent_->Leave();
  Close();
  Stop();
}

// The objects that were begun, before the first byte of the last one. False when the reader is
// gone, as for all of these.
bool RingOutlet::PutObjects() {
  while (!objects_.empty()) {
    if (writer_->PutObject(objects_.front())) {
      objects_.pop_front();
    } else if (!AwaitRoom()) {
      return false;
    }
  }
  return true;
}

bool RingOutlet::Copy(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t put = writer_->PutBytes(bytes);
    bytes.remove_prefix(put);
    bytes_written_ += put;
    if (put > 0) {
      Publish();
    } else if (!AwaitRoom()) {
      return false;
    }
  }
  return true;
}

bool RingOutlet::Lend(std::string_view bytes, const std::shared_ptr<const void>& owner) {
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), kMostInLoan);
    if (lent_bytes_ + size > kMostLent && !AwaitLoans(kMostLent / 2)) return false;
    if (!writer_->PutLoan({lent_->OffsetOf(bytes.data()), size})) {
      if (!AwaitRoom()) return false;
      continue;
    }
    loans_.push_back({writer_->put(), size, owner});
    lent_bytes_ += size;
    bytes.remove_prefix(size);
    bytes_written_ += size;
  }
  return true;
}

bool RingOutlet::AwaitRoom() {
  return AwaitTaken(writer_->put() + kRoomBytes - memory_->capacity());
}

// Until no more than this is lent.
bool RingOutlet::AwaitLoans(size_t most) {
  TakeBack();
  size_t left = lent_bytes_;
  uint64_t end = 0;
  for (auto loan = loans_.begin(); left > most; ++loan) {
    left -= loan->size;
    end = loan->end;
  }
  const bool reading = AwaitTaken(end);
  TakeBack();
  return reading;
}

void RingOutlet::TakeBack() {
  const uint64_t taken = loans_.empty() ? 0 : writer_->Taken();
  while (!loans_.empty() && loans_.front().end <= taken) {
    lent_bytes_ -= loans_.front().size;
    loans_.pop_front();
  }
}

// Waits until the reader has taken everything before this position. False when it is gone.
bool RingOutlet::AwaitTaken(uint64_t position) {
  Publish();
  while (writer_->Taken() < position) {
    const bool gone = writer_->MaySleepUntil(position) && !Wait();
    writer_->Awake();
    if ((gone || writer_->reader_is_broken()) && writer_->Taken() < position) return false;
  }
  return true;
}

// Until there may be room. False when the reader is gone.
bool RingOutlet::Wait() {
  const auto since = Clock::now();
  pollfd polled[4] = {{room_->fd(), POLLIN, 0},
                      {stop_.fd(), POLLIN, 0},
                      {peer_->socket.get(), POLLRDHUP, 0},
                      {peer_->process.get(), POLLIN, 0}};
  poll(polled, 4, -1);
  if (polled[0].revents != 0) room_->Clear();
  seconds_blocked_ += std::chrono::duration<double>(Clock::now() - since).count();
  if (stop_.signalled()) throw Error(ErrorKind::kCancelled, "stopped waiting for a ring's reader");
  return polled[2].revents == 0 && polled[3].revents == 0;
}

void RingOutlet::Publish() {
  if (writer_->Publish()) data_->Send();
}

void RingOutlet::Close() noexcept {
  server_.Release();
  peer_.reset();
  writer_.reset();
  memory_.reset();
  data_.reset();
  room_.reset();
  objects_.clear();
  loans_.clear();
  lent_bytes_ = 0;
}

}  // namespace smtf
