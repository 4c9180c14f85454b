// The memory that parts are fetched into, bounded and reused.
#ifndef SMTF_PREFETCH_BUFFER_POOL_H_
#define SMTF_PREFETCH_BUFFER_POOL_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "buffer_memory.h"

namespace smtf {

class BufferPool;

// Memory on loan from a pool, given back on destruction. Movable, not copyable.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { Swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).Swap(*this);
    return *this;
  }
  ~Buffer();

  explicit operator bool() const { return data_ != nullptr; }
  char* data() const { return data_; }
  size_t capacity() const { return capacity_; }

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, char* data, size_t capacity)
      : pool_(pool), data_(data), capacity_(capacity) {}
  void Swap(Buffer& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
  }

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  size_t capacity_ = 0;
};

// Buffers are kept for reuse because touching a fresh 8 MiB buffer costs more in page faults than
// the copy into it. They come in size classes, four to each doubling, so that a tiny object takes
// 4 KiB and not a whole part. From 64 KiB up they are page aligned, as vmsplice likes it.
//
// Thread-safe. Must outlive its buffers.
class BufferPool {
 public:
  // `limit` bounds the capacities of all buffers together, lent or kept. `on_return` is called
  // after a buffer came back, by the thread that returned it, without the pool's lock. Buffers from
  // 64 KiB up are in `memory` where there is one and it has room.
  BufferPool(size_t limit, std::function<void()> on_return,
             std::shared_ptr<BufferMemory> memory = nullptr);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A buffer of at least `size` bytes, or a false one while the limit does not allow it, or would
  // not allow `spare` bytes more after it. An Error when the system has no memory.
  Buffer TryAcquire(size_t size, size_t spare = 0);

  // Lent and kept.
  size_t bytes() const;
  size_t lent_bytes() const;

  // The capacity that a buffer for `size` bytes gets.
  static size_t CapacityFor(size_t size);

 private:
  friend class Buffer;
  Buffer Reuse(size_t capacity);
  // Makes room under the limit by taking kept buffers out, the largest first.
  std::vector<std::pair<char*, size_t>> Evict(size_t capacity);
  void Return(char* data, size_t capacity) noexcept;
  char* Allocate(size_t capacity);
  void Free(char* data, size_t capacity) noexcept;

  const size_t limit_;
  const std::function<void()> on_return_;
  const std::shared_ptr<BufferMemory> memory_;
  mutable std::mutex mutex_;
  size_t lent_ = 0;
  size_t kept_ = 0;
  std::map<size_t, std::vector<char*>> kept_by_capacity_;
};

}  // namespace smtf

#endif  // SMTF_PREFETCH_BUFFER_POOL_H_
