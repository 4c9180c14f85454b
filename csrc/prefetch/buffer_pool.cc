#include "prefetch/buffer_pool.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "errors.h"

namespace smtf {
namespace {

constexpr size_t kSmallestCapacity = 4096;
// From here on a buffer may be lent to a pipe by vmsplice (FifoWriter), and may be freed while a
// stopped feed's pipe still holds its pages. Unmapped pages stay what they were until the pipe lets
// go of them; freed memory of malloc would be written to. The kernel merges mappings that touch, so
// their number stays far below its bound.
constexpr size_t kMappedFrom = 64 * 1024;

}  // namespace

Buffer::~Buffer() {
  if (data_) pool_->Return(data_, capacity_);
}

BufferPool::BufferPool(size_t limit, std::function<void()> on_return,
                       std::shared_ptr<BufferMemory> memory)
    : limit_(limit), on_return_(std::move(on_return)), memory_(std::move(memory)) {}

BufferPool::~BufferPool() {
  for (const auto& [capacity, buffers] : kept_by_capacity_) {
    for (char* data : buffers) Free(data, capacity);
  }
}

size_t BufferPool::CapacityFor(size_t size) {
  if (size <= kSmallestCapacity) return kSmallestCapacity;
  size_t octave = kSmallestCapacity;
  while (octave < size) octave *= 2;
  const size_t step = octave / 8;  // the classes between octave/2 and octave
  return (size + step - 1) / step * step;
}

Buffer BufferPool::TryAcquire(size_t size, size_t spare) {
  const size_t capacity = CapacityFor(size);
  std::vector<std::pair<char*, size_t>> evicted;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (spare > 0 && lent_ + capacity + spare > limit_) return Buffer();
    if (Buffer buffer = Reuse(capacity)) return buffer;
    if (lent_ + capacity > limit_) return Buffer();
    evicted = Evict(capacity);
    lent_ += capacity;
  }
  for (const auto& [data, evicted_capacity] : evicted) Free(data, evicted_capacity);
  try {
    return Buffer(this, Allocate(capacity), capacity);
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex_);
    lent_ -= capacity;
    throw;
  }
}

size_t BufferPool::bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lent_ + kept_;
}

size_t BufferPool::lent_bytes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lent_;
}

// A kept buffer up to twice as large is better than a fresh one: its pages are there already.
Buffer BufferPool::Reuse(size_t capacity) {
  for (auto kept = kept_by_capacity_.lower_bound(capacity);
       kept != kept_by_capacity_.end() && kept->first <= 2 * capacity; ++kept) {
    if (kept->second.empty()) continue;
    char* data = kept->second.back();
    kept->second.pop_back();
    kept_ -= kept->first;
    lent_ += kept->first;
    return Buffer(this, data, kept->first);
  }
  return Buffer();
}

std::vector<std::pair<char*, size_t>> BufferPool::Evict(size_t capacity) {
  std::vector<std::pair<char*, size_t>> evicted;
  for (auto kept = kept_by_capacity_.rbegin(); kept != kept_by_capacity_.rend(); ++kept) {
    while (lent_ + kept_ + capacity > limit_ && !kept->second.empty()) {
      evicted.emplace_back(kept->second.back(), kept->first);
      kept->second.pop_back();
      kept_ -= kept->first;
    }
  }
  return evicted;
}

void BufferPool::Return(char* data, size_t capacity) noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    kept_by_capacity_[capacity].push_back(data);
    lent_ -= capacity;
    kept_ += capacity;
  }
  if (on_return_) on_return_();
}

char* BufferPool::Allocate(size_t capacity) {
  void* data = nullptr;
  if (capacity < kMappedFrom) {
    data = std::aligned_alloc(64, capacity);
  } else if (char* shared = memory_ ? memory_->Allocate(capacity) : nullptr) {
    return shared;
  } else {
    data = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) data = nullptr;
    // Not of huge pages: 1 GiB over TLS took 0.87 s with them left out and 1.10 s with them, as
    // clearing them is slow where a virtual machine's host has taken them back.
  }
  if (!data) {
    throw SystemError("allocating a buffer of " + std::to_string(capacity) +
                          " bytes; lower the prefetcher's memory_bytes",
                      ENOMEM);
  }
  return static_cast<char*>(data);
}

void BufferPool::Free(char* data, size_t capacity) noexcept {
  if (capacity < kMappedFrom) {
    std::free(data);
  } else if (memory_ && memory_->Owns(data)) {
    memory_->Free(data, capacity);
  } else {
    munmap(data, capacity);
  }
}

}  // namespace smtf
