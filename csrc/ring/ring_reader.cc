#include "ring/ring_reader.h"

#include <cstring>
#include <string>

#include "errors.h"

namespace smtf {
namespace {

[[noreturn]] void FailBroken(const std::string& what) {
  throw Error(ErrorKind::kDataLoss, "the prefetcher's ring is broken: " + what);
}

}  // namespace

RingReader::~RingReader() {
  if (begun_ && getpid() == process_) memory_.header().taken.store(after_);
}

std::optional<RingReader::Item> RingReader::Next() {
  while (!item_) {
    if (frame_ == put_) {
      put_ = memory_.header().put.load();
      if (put_ - frame_ > memory_.capacity() || put_ % 8 != 0) {
        FailBroken("it should hold " + std::to_string(put_ - frame_) + " bytes of " +
                   std::to_string(memory_.capacity()));
      }
    }
    if (frame_ == put_) return std::nullopt;
    LookAtFrame();
  }
  return item_;
}

void RingReader::Take(size_t bytes) {
  begun_ = true;
  item_->content.remove_prefix(bytes);
  if (item_->content.empty()) EndFrame();
}

void RingReader::TakeObject() { EndFrame(); }

bool RingReader::WriterIsToWake() {
  std::atomic<uint64_t>& sleeps = memory_.header().writer_sleeps;
  const uint64_t until = sleeps.load();
  return until != 0 && frame_ >= until && sleeps.exchange(0) != 0;
}

bool RingReader::MaySleep() {
  memory_.header().reader_sleeps.store(1);
  if (memory_.header().put.load() == put_) return true;
  Awake();
  return false;
}

void RingReader::LookAtFrame() {
  RingFrame frame;  // a copy: what is checked is what is used
  std::memcpy(&frame, memory_.At(frame_), sizeof(frame));
  const size_t length = RingFrameBytes(frame.size);
  const bool known = frame.kind >= RingFrame::kBytes && frame.kind <= RingFrame::kLent;
  if (!known || length > put_ - frame_ || length > memory_.Rest(frame_) ||
      (frame.kind == RingFrame::kBytes && frame.size == 0)) {
    FailBroken("a frame of kind " + std::to_string(frame.kind) + " with " +
               std::to_string(frame.size) + " bytes, where " + std::to_string(put_ - frame_) +
               " are left");
  }
  after_ = frame_ + length;
  if (frame.kind == RingFrame::kRest) {
    EndFrame();
    return;
  }
  if (frame.kind == RingFrame::kLent) {
    item_ = Item{RingFrame::kBytes, Borrowed(frame)};
    return;
  }
  item_ = Item{static_cast<RingFrame::Kind>(frame.kind),
               {memory_.At(frame_) + sizeof(frame), frame.size}};
}

std::string_view RingReader::Borrowed(const RingFrame& frame) const {
  RingLoan loan{0, 0};
  if (frame.size == sizeof(loan)) {
    std::memcpy(&loan, memory_.At(frame_) + sizeof(frame), sizeof(loan));
  }
  if (loan.size == 0 || !borrowed_ || !borrowed_->Has(loan.offset, loan.size)) {
    FailBroken(std::to_string(loan.size) + " bytes at " + std::to_string(loan.offset) +
               " are lent, which are not there");
  }
  return borrowed_->At(loan.offset, loan.size);
}

void RingReader::EndFrame() {
  item_.reset();
  begun_ = false;
  frame_ = after_;
  memory_.header().taken.store(frame_);
}

}  // namespace smtf
