// The training script's end of a ring: frames out, without system calls.
#ifndef SMTF_RING_RING_READER_H_
#define SMTF_RING_RING_READER_H_

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "ring/lent_memory.h"
#include "ring/ring_memory.h"

namespace smtf {

// Never waits. Trusts nothing that the writer wrote: nonsense there is an Error of kind kDataLoss.
// Used by one thread.
class RingReader {
 public:
  // `borrowed` is where lent bytes are, if any are.
  explicit RingReader(RingMemory memory, std::optional<BorrowedMemory> borrowed = std::nullopt)
      : memory_(std::move(memory)), borrowed_(std::move(borrowed)), process_(getpid()) {}
  // Says that what was begun is taken; not in a child that was forked, whose copy this is not.
  ~RingReader();

  struct Item {
    RingFrame::Kind kind;  // kBytes, also where they are lent, or kObject
    // In shared memory, where the writer may change it. Not empty for kBytes.
    std::string_view content;
  };
  // What comes next; nothing while there is no more. The same until it is done with.
  std::optional<Item> Next();
  // So much of a kBytes item is done with.
  void Take(size_t bytes);
  // All of a kObject item is.
  void TakeObject();

  // Whether the writer sleeps and has to be woken, by the caller, as enough was taken.
  bool WriterIsToWake();
  // Announces that the reader is about to sleep. False when there is something: then it must not.
  // Call Awake afterwards.
  bool MaySleep();
  void Awake() { memory_.header().reader_sleeps.store(0); }

 private:
  void LookAtFrame();
  std::string_view Borrowed(const RingFrame& frame) const;
  void EndFrame();

  RingMemory memory_;
  std::optional<BorrowedMemory> borrowed_;
  const pid_t process_;
  uint64_t put_ = 0;    // when it was last looked at
  uint64_t frame_ = 0;  // the current frame's position, or the next one's
  std::optional<Item> item_;
  uint64_t after_ = 0;  // where the current frame ends
  bool begun_ = false;  // some of the current frame was taken
};

}  // namespace smtf

#endif  // SMTF_RING_RING_READER_H_
