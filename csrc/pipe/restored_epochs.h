// Which epochs the iterators that were restored in this process have had, so that those which
// nobody told where to begin get the ones behind.
#ifndef SMTF_PIPE_RESTORED_EPOCHS_H_
#define SMTF_PIPE_RESTORED_EPOCHS_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "pipe/stream_position.h"

namespace smtf {

// By a channel's key, such as its pipe directory and name. Thread-safe.
//
// Iterators that are restored with nothing read between them are of one checkpoint, in whatever
// order they come: what is next is behind the latest of them. A restore after a read is a going
// back, and the readings before it no longer count.
class RestoredEpochs {
 public:
  struct Standing {
    bool restored = false;  // an iterator of this process was
    bool read = false;      // since the last restore
    // As Next.
    std::optional<StreamPosition> next;
  };

  // One was restored, and leaves this epoch to others.
  void Leave(const std::string& key, const StreamPosition& next);
  // The beginning of the epoch that nobody has had yet; nothing where no iterator was restored, or
  // not since the prefetcher of this session came (feed_status.h; empty where there is none).
  std::optional<StreamPosition> Next(const std::string& key, const std::string& session);
  // The same and what led to it.
  Standing Of(const std::string& key, const std::string& session);
  // As Next, for a reader that has yet to get it: those after this one get what is behind. The
  // reader says Began, or GiveBack.
  std::optional<StreamPosition> Take(const std::string& key, const std::string& session);
  // It could not begin this epoch, which is the next one's, if nothing was restored since that
  // leaves later ones to others.
  void GiveBack(const std::string& key, uint64_t epoch);
  // A reader of this process, restored or not, has begun this epoch.
  void Began(const std::string& key, const std::string& session, uint64_t epoch);
  // What was restored cannot be gone on with, and nothing is next any more.
  void Forget(const std::string& key);

 private:
  struct Channel {
    // The lowest that is free: given back, or else behind those that were taken.
    StreamPosition Next() const;

    StreamPosition behind;
    std::set<uint64_t> taken;  // and neither begun nor given back yet
    std::set<uint64_t> given_back;
    std::string session;  // empty until one has been read
    bool read = false;    // since the last restore
    bool forgotten = false;
  };
  using Channels = std::map<std::string, Channel>;
  Channels::iterator Find(const std::string& key, const std::string& session);

  std::mutex mutex_;
  Channels channels_;
};

// Of all readers in this process.
RestoredEpochs& EpochsOfRestored();

}  // namespace smtf

#endif  // SMTF_PIPE_RESTORED_EPOCHS_H_
