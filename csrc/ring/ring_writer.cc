#include "ring/ring_writer.h"

#include <algorithm>
#include <cstring>

namespace smtf {

size_t RingWriter::PutBytes(std::string_view bytes) {
  if (bytes.empty() || !Begin(1)) return 0;
  const size_t room = std::min(Room(put_), memory_.Rest(put_)) - sizeof(RingFrame);
  const size_t size = std::min({bytes.size(), room, kMostFrameBytes});
  PutStream(RingFrame::kBytes, bytes.substr(0, size));
  return size;
}

bool RingWriter::PutLoan(const RingLoan& loan) {
  if (!Begin(sizeof(loan))) return false;
  PutStream(RingFrame::kLent, {reinterpret_cast<const char*>(&loan), sizeof(loan)});
  return true;
}

bool RingWriter::PutObject(std::string_view text) {
  if (!Begin(text.size())) return false;
  Put(RingFrame::kObject, text);
  return true;
}

bool RingWriter::Publish() {
  RingHeader& header = memory_.header();
  // Both in one order for both sides: either the reader sees the frames before it sleeps, or this
  // sees that it does.
  header.put.store(put_);
  return header.reader_sleeps.load() != 0 && header.reader_sleeps.exchange(0) != 0;
}

uint64_t RingWriter::Taken() {
  const uint64_t taken = memory_.header().taken.load();
  if (broken_) return taken_;
  broken_ = taken < taken_ || taken > put_;
  (broken_ ? claimed_ : taken_) = taken;
  return taken_;
}

bool RingWriter::MaySleepUntil(uint64_t taken) {
  memory_.header().writer_sleeps.store(taken);
  if (Taken() < taken && !broken_) return true;
  Awake();
  return false;
}

// Of what is free, from here on.
size_t RingWriter::Room(uint64_t position) {
  return memory_.capacity() - static_cast<size_t>(position - taken_);
}

// Makes sure that a frame with this much content fits where the next one goes.
bool RingWriter::Begin(size_t least) {
  const size_t needed = RingFrameBytes(least);
  const size_t rest = memory_.Rest(put_);
  // Where it would go round the end, nothing of it is before.
  const size_t skipped = rest < needed ? rest : 0;
  if (Room(put_) < skipped + needed) {
    Taken();
    if (Room(put_) < skipped + needed) return false;
  }
  if (skipped > 0) {
    const RingFrame frame{RingFrame::kRest, static_cast<uint32_t>(rest - sizeof(RingFrame))};
    std::memcpy(memory_.At(put_), &frame, sizeof(frame));
    put_ += rest;
  }
  return true;
}

void RingWriter::PutStream(RingFrame::Kind kind, std::string_view payload) {
  if (bytes_end_ == 0) bytes_begin_ = put_;
  Put(kind, payload);
  bytes_end_ = put_;
}

void RingWriter::Put(RingFrame::Kind kind, std::string_view payload) {
  const RingFrame frame{kind, static_cast<uint32_t>(payload.size())};
  char* at = memory_.At(put_);
  std::memcpy(at, &frame, sizeof(frame));
  std::memcpy(at + sizeof(frame), payload.data(), payload.size());
  put_ += RingFrameBytes(payload.size());
}

}  // namespace smtf
