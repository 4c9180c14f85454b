// Shared memory of two processes, and how a ring lies in it.
#ifndef SMTF_RING_RING_MEMORY_H_
#define SMTF_RING_RING_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "file_descriptor.h"

namespace smtf {

// The first page of a ring. One side writes each of these, the other only looks; they lie in cache
// lines of their own. Positions count bytes of frames since the beginning and never wrap.
struct RingHeader {
  alignas(64) std::atomic<uint64_t> put;            // the writer: how far the frames go
  alignas(64) std::atomic<uint64_t> taken;          // the reader: how far they are done with
  alignas(64) std::atomic<uint64_t> reader_sleeps;  // it is, or 0; who clears it wakes the other
  alignas(64) std::atomic<uint64_t> writer_sleeps;  // until so much is taken, or 0
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "they are shared between processes");

// Frames follow each other at multiples of 8, and none goes round the ring's end.
struct RingFrame {
  enum Kind : uint32_t {
    kBytes = 1,   // of the stream
    kObject = 2,  // a JSON text: whose bytes come next
    kRest = 3,    // nothing up to the ring's end
    kLent = 4,    // a RingLoan: bytes of the stream that are elsewhere
  };
  uint32_t kind;
  uint32_t size;  // of what follows, without padding
};
// Bytes in the prefetcher's LentMemory, which stay there until the frame is done with.
struct RingLoan {
  uint64_t offset;
  uint64_t size;
};
inline constexpr size_t kRingHeaderBytes = 4096;
static_assert(sizeof(RingHeader) <= kRingHeaderBytes && sizeof(RingFrame) == 8);

// What a frame takes in the ring.
inline constexpr size_t RingFrameBytes(size_t size) {
  return (sizeof(RingFrame) + size + 7) / 8 * 8;
}

// A memfd, sealed against any change of its size and mapped. What the other process does to the
// content it may do at any moment: read everything once, and check it.
class RingMemory {
 public:
  // Zeroed, with this capacity for frames: a power of two, 4 KiB or more. An Error when the system
  // has none.
  static RingMemory Make(size_t capacity);
  // What another process made. An Error of kind kDataLoss when it is no such memory.
  static RingMemory Attach(FileDescriptor fd);
  ~RingMemory();
  RingMemory(RingMemory&& other) noexcept;
  RingMemory& operator=(RingMemory&&) = delete;

  int fd() const { return fd_.get(); }
  RingHeader& header() const { return *reinterpret_cast<RingHeader*>(base_); }
  size_t capacity() const { return bytes_ - kRingHeaderBytes; }
  // Where the frame at this position is.
  char* At(uint64_t position) const {
    return base_ + kRingHeaderBytes + (position & (capacity() - 1));
  }
  // From there to the ring's end.
  size_t Rest(uint64_t position) const {
    return capacity() - static_cast<size_t>(position & (capacity() - 1));
  }

 private:
  RingMemory(FileDescriptor fd, size_t bytes);

  FileDescriptor fd_;
  size_t bytes_;
  char* base_;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_MEMORY_H_
