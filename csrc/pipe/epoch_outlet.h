// A channel's way to its readers, as its feed sees it: named pipes, or a ring in shared memory.
#ifndef SMTF_PIPE_EPOCH_OUTLET_H_
#define SMTF_PIPE_EPOCH_OUTLET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "buffer_memory.h"
#include "errors.h"
#include "pipe/feed_status.h"
#include "pipe/object_log.h"
#include "pipe/object_range.h"
#include "pipe/stream_position.h"

namespace smtf {

// What a reader is told of an epoch before its first byte.
struct EpochHead {
  uint64_t epoch = 0;  // of the data
  std::string settings;
  bool positions = true;  // whether objects will be announced
};

// What a reader may ask for; nothing where it takes what comes next.
struct ReaderWish {
  std::optional<StreamPosition> resume;
  // Only these, in the order of the list; that is no epoch, and what comes next comes after it.
  std::optional<ObjectRange> objects;
};

// Epoch after epoch, each for one reader: Announce, AwaitReader, TakeWish, Admit, then the bytes
// and the objects that they are of, Record, EndEpoch.
//
// Used by one thread, but for Stop. What the carrier itself refuses is thrown, and ends the feed.
class EpochOutlet {
 public:
  virtual ~EpochOutlet() = default;

  // Ends every wait, now and later, with an Error of kind kCancelled. Any thread.
  virtual void Stop() noexcept = 0;

  // Lets a reader find this epoch. `number` counts from 0 whatever epoch of the data it is.
  virtual void Announce(uint64_t number, const EpochHead& next) = 0;
  // Waits for its reader.
  virtual void AwaitReader() = 0;
  // What that reader wants. An Error where it cannot be understood.
  virtual ReaderWish TakeWish() = 0;
  // Tells it what comes. An Error when it cannot be told where objects begin, which ends nothing
  // but the epoch of a reader that asked to resume.
  virtual void Admit(const EpochHead& head) = 0;

  // The object of the bytes written next begins; `at` is filled in. An Error when the reader cannot
  // be told: then it is not told of any further ones of this epoch, and the epoch goes on.
  virtual void BeginObject(LoggedObject object) = 0;
  // Writes all of `bytes`, which must not change while `owner` is held. False when the reader has
  // gone: then nothing more can be written.
  virtual bool Write(std::string_view bytes, std::shared_ptr<const void> owner) = 0;
  // Waits until the reader has taken every byte. False as for Write.
  virtual bool Drain() = 0;
  // Whether a reader that has gone has taken some of it. Otherwise the epoch is for the next.
  virtual bool Touched() const = 0;
  // Whether the reader is known to have gone, however little was written since.
  virtual bool ReaderGone() const { return false; }
  // What a reader did for which it is treated as gone; nothing where it went by itself.
  virtual std::optional<Error> ReaderFault() const { return std::nullopt; }

  // How the epoch ended, for its reader. Does not wait for it.
  virtual void Record(const Outcome& outcome) = 0;
  // Announces the next epoch and ends this one, in an order in which a reader never sees neither.
  virtual void EndEpoch(uint64_t next_number, const EpochHead& next) = 0;
  // Ends the epoch under way, if one is, and tells readers that nobody feeds the channel.
  // Idempotent.
  virtual void Leave() noexcept = 0;

  // Bytes in this memory are not copied on their way; null where all are treated alike.
  virtual std::shared_ptr<BufferMemory> memory() const { return nullptr; }
  // How many are connected, where readers connect. Any thread.
  virtual int connections() const { return 0; }

  // Of the epoch under way.
  virtual uint64_t bytes_written() const = 0;
  // Seconds spent waiting for its reader to make room.
  virtual double seconds_blocked() const = 0;
};

}  // namespace smtf

#endif  // SMTF_PIPE_EPOCH_OUTLET_H_
