#include "framing/object_frames.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "framing/little_endian.h"

namespace smtf {
namespace {

constexpr uint64_t kLast = uint64_t{1} << 63;
constexpr uint64_t kFailed = uint64_t{1} << 62;
constexpr size_t kBufferBytes = 256 * 1024;
static_assert(kMostFailureBytes <= kBufferBytes);

}  // namespace

void StoreChunkHeader(const ChunkHeader& header, char* to) {
  const uint64_t word = header.length | (header.last ? kLast : 0) | (header.failed ? kFailed : 0);
  std::memcpy(to, &word, sizeof(word));  // little_endian.h: so is this machine
}

ChunkHeader LoadChunkHeader(const char* from) {
  const uint64_t word = LoadLE64(from);
  return {word & ~(kLast | kFailed), (word & kLast) != 0, (word & kFailed) != 0};
}

std::string FailurePayload(const Error& failure) {
  std::string payload = std::string(ErrorKindName(failure.kind())) + "\n" + failure.what();
  payload.resize(std::min(payload.size(), kMostFailureBytes));
  return payload;
}

ObjectFrames::ObjectFrames(ByteSource* stream) : input_(stream, kBufferBytes) {}

bool ObjectFrames::NextObject() {
  if (objects_ > 0) SkipRest();
  failure_.reset();
  if (!TakeHeader()) return false;
  ++objects_;
  return true;
}

size_t ObjectFrames::Read(char* dst, size_t max) {
  if (!FindBytes()) return 0;
  const size_t wanted = static_cast<size_t>(std::min<uint64_t>(max, left_));
  // Behind a small chunk others may follow at once; what follows a piece of a large one would only
  // be copied twice.
  const size_t spill = wanted == left_ ? input_.capacity() : 0;
  const size_t count = input_.ReadSome(dst, wanted, spill);
  if (count == 0) FailCut();
  left_ -= count;
  return count;
}

size_t ObjectFrames::MoveTo(PartialFile* file, uint64_t max) {
  if (!FindBytes()) return 0;
  const size_t count = input_.MoveSome(file, std::min(max, left_));
  if (count == 0) FailCut();
  left_ -= count;
  return count;
}

std::string ObjectFrames::Describe() const { return "object " + std::to_string(number()); }

// Goes on to the chunk that the object's next byte is in; false at its end.
bool ObjectFrames::FindBytes() {
  while (left_ == 0) {
    if (failure_) throw *failure_;
    if (last_) return false;
    if (!TakeHeader()) FailCut();
  }
  return true;
}

// False where the stream ends, which is well between two objects only.
bool ObjectFrames::TakeHeader() {
  if (!input_.Fill(kChunkHeaderBytes)) {
    if (input_.size() > 0) FailCut();
    return false;
  }
  const ChunkHeader header = LoadChunkHeader(input_.data());
  input_.Consume(kChunkHeaderBytes);
  left_ = header.length;
  last_ = header.last;
  if (header.failed) TakeFailure();
  return true;
}

void ObjectFrames::TakeFailure() {
  if (!last_ || left_ > kMostFailureBytes) {
    throw Error(ErrorKind::kDataLoss, "the stream of objects from " + input_.source().Describe() +
                                          " is not what this version's prefetcher writes");
  }
  if (!input_.Fill(static_cast<size_t>(left_))) FailCut();
  const std::string_view payload = input_.buffered().substr(0, static_cast<size_t>(left_));
  const size_t newline = std::min(payload.find('\n'), payload.size());
  const ErrorKind kind = ParseErrorKind(payload.substr(0, newline)).value_or(ErrorKind::kInternal);
  failure_.emplace(kind, std::string(payload.substr(std::min(newline + 1, payload.size()))));
  input_.Consume(payload.size());
  left_ = 0;
}

void ObjectFrames::SkipRest() {
  for (;;) {
    if (input_.Discard(left_) < left_) FailCut();
    left_ = 0;
    if (last_) return;
    if (!TakeHeader()) FailCut();
  }
}

void ObjectFrames::FailCut() const {
  throw Error(ErrorKind::kDataLoss, input_.source().Describe() + " ended within object " +
                                        std::to_string(objects_) + " (counted from 1), after " +
                                        std::to_string(input_.offset()) + " bytes");
}

}  // namespace smtf
