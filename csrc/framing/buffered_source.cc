#include "framing/buffered_source.h"

#include <algorithm>
#include <cstring>

#include "framing/partial_file.h"

namespace smtf {

BufferedSource::BufferedSource(ByteSource* source, size_t capacity)
    // Not make_unique, which would write zeros to pages that may never be needed.
    : source_(source), capacity_(capacity), buffer_(new char[capacity]) {}

template <typename ReadFunction>
size_t BufferedSource::ReadSource(ReadFunction read) {
  if (failed_) std::rethrow_exception(failed_);
  if (ended_) return 0;
  try {
    const size_t count = read();
    ended_ = count == 0;
    return count;
  } catch (...) {
    failed_ = std::current_exception();
    throw;
  }
}

void BufferedSource::MakeRoom() {
  const size_t kept = size();
  if (begin_ > 0 && kept > 0) std::memmove(buffer_.get(), data(), kept);
  begin_ = 0;
  end_ = kept;
}

bool BufferedSource::FillSome() {
  MakeRoom();
  const size_t count =
      ReadSource([this] { return source_->Read(buffer_.get() + end_, capacity_ - end_); });
  end_ += count;
  return count > 0;
}

bool BufferedSource::FillSlowly(size_t wanted) {
  while (size() < wanted) {
    if (!FillSome()) return false;
  }
  return true;
}

size_t BufferedSource::ReadSome(char* dst, size_t max, size_t spill) {
  if (size() > 0) {
    const size_t count = std::min(max, size());
    std::memcpy(dst, data(), count);
    Consume(count);
    return count;
  }
  begin_ = end_ = 0;
  const size_t count = ReadSource([&] {
    if (spill == 0) return source_->Read(dst, max);
    return source_->ReadScatter(dst, max, buffer_.get(), std::min(spill, capacity_));
  });
  const size_t into_dst = std::min(count, max);
  end_ = count - into_dst;
  offset_ += into_dst;
  return into_dst;
}

size_t BufferedSource::MoveSome(PartialFile* file, uint64_t max) {
  if (size() > 0) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(max, size()));
    file->Write({data(), count});
    Consume(count);
    return count;
  }
  const size_t count = ReadSource([&] { return source_->MoveTo(file, max); });
  offset_ += count;
  return count;
}

uint64_t BufferedSource::Discard(uint64_t count) {
  uint64_t left = count;
  while (left > 0 && (size() > 0 || FillSome())) {
    const size_t step = static_cast<size_t>(std::min<uint64_t>(left, size()));
    Consume(step);
    left -= step;
  }
  return count - left;
}

}  // namespace smtf
