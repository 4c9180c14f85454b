// One epoch of a channel as a byte source, whatever carries it: a named pipe, or a ring in shared
// memory.
#ifndef SMTF_PIPE_EPOCH_SOURCE_H_
#define SMTF_PIPE_EPOCH_SOURCE_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "framing/byte_source.h"
#include "pipe/stream_position.h"

namespace smtf {

// Finds the channel's next epoch at the first read, not before, and counts it as used once a byte
// of it was read or its end was reached. What went wrong at the writer is thrown here, with its
// kind and message.
//
// Used by one thread, but for `stalled`.
class EpochSource : public ByteSource {
 public:
  // Before the first read: go on here, if one of our prefetchers writes.
  virtual void Resume(StreamPosition position) = 0;
  // Nothing will be read by this, as all of the position's epoch was read before. The next reader
  // of this channel in this process that is not told where to begin gets the epoch behind it.
  virtual void EndedIn(const StreamPosition& position) = 0;
  // Before the first read, of an iterator that was saved before its own: read an epoch that nobody
  // of this process has begun, the position's or one behind it.
  virtual void BeginFrom(const StreamPosition& position) { Resume(position); }
  // Waits for the epoch like a read. Whether one of our prefetchers writes.
  virtual bool Open() = 0;
  // Of this offset in what was read, which is not before that of the last call. Nothing where the
  // writer is not ours. Before the first read, with offset 0: where that will be.
  virtual std::optional<StreamPosition> PositionAt(uint64_t offset) = 0;
  // The same for an offset behind that of the last PositionAt, which may go on from there. Nothing
  // where it cannot be told.
  virtual std::optional<StreamPosition> LookAhead(uint64_t offset) const = 0;
  // PositionAt will be asked for no offset before this one. Cheap, so that it can be said often.
  virtual void Forget(uint64_t /*offset*/) {}
  // Nothing more will be read of an epoch that has not ended, such as one whose records are broken.
  // Others may have their turn now, and not only when this is destroyed. PositionAt goes on
  // answering.
  virtual void GiveUp() {}

  // How long reads have waited for bytes so far. May be asked by any thread.
  virtual std::chrono::milliseconds stalled() const = 0;
  // Of what carries it, from 0; nothing before the first read.
  virtual std::optional<uint64_t> epoch() const = 0;
};

}  // namespace smtf

#endif  // SMTF_PIPE_EPOCH_SOURCE_H_
