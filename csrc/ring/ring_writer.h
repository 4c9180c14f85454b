// The prefetcher's end of a ring: frames in, without system calls.
#ifndef SMTF_RING_RING_WRITER_H_
#define SMTF_RING_RING_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ring/ring_memory.h"

namespace smtf {

// Never waits. Trusts nothing that the reader wrote: one that wrote nonsense is broken from then
// on, and takes nothing more. Used by one thread.
class RingWriter {
 public:
  // No byte frame is larger, so that the reader gives room back in steps.
  static constexpr size_t kMostFrameBytes = 64 * 1024;

  // `memory` is fresh and outlives the writer.
  explicit RingWriter(const RingMemory* memory) : memory_(*memory) {}

  // As many of the stream's bytes as there is room for; 0 when the ring is full.
  size_t PutBytes(std::string_view bytes);
  // These bytes of the lent memory, or false when there is no room now. They must stay until they
  // are taken.
  bool PutLoan(const RingLoan& loan);
  // All of it, or false when there is no room now. At most kMostFrameBytes.
  bool PutObject(std::string_view text);

  // Lets the reader see what was put. True when it sleeps and has to be woken, by the caller.
  bool Publish();

  uint64_t put() const { return put_; }
  // Where the last byte of the stream ends.
  uint64_t bytes_end() const { return bytes_end_; }
  // How far the reader has come.
  uint64_t Taken();
  // Whether it has taken a byte of the stream.
  bool Touched() { return bytes_end_ > 0 && (Taken() > bytes_begin_ || broken_); }
  bool reader_is_broken() const { return broken_; }
  // The nonsense that it then wrote.
  uint64_t claimed() const { return claimed_; }
  // Announces that the writer is about to sleep until so much is taken. False when it is so, or the
  // reader is broken: then it must not sleep. Call Awake afterwards.
  bool MaySleepUntil(uint64_t taken);
  void Awake() { memory_.header().writer_sleeps.store(0); }

 private:
  size_t Room(uint64_t position);
  bool Begin(size_t least);
  void PutStream(RingFrame::Kind kind, std::string_view payload);
  void Put(RingFrame::Kind kind, std::string_view payload);

  const RingMemory& memory_;
  uint64_t put_ = 0;
  uint64_t bytes_begin_ = 0;
  uint64_t bytes_end_ = 0;
  uint64_t taken_ = 0;  // when it was last looked at
  bool broken_ = false;
  uint64_t claimed_ = 0;
};

}  // namespace smtf

#endif  // SMTF_RING_RING_WRITER_H_
