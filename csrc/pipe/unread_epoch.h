// Which epoch of the data a pipe's reader is to have, where nobody told it where to begin: one that
// nobody has had.
#ifndef SMTF_PIPE_UNREAD_EPOCH_H_
#define SMTF_PIPE_UNREAD_EPOCH_H_

#include <cstdint>
#include <optional>
#include <string>

#include "pipe/stream_position.h"

namespace smtf {

// In a process that was restored it is what is behind that (restored_epochs.h), in others what
// comes through the pipe, as long as that goes forwards. Epochs that another process has had
// (epoch_readers.h) are passed over.
struct UnreadEpoch {
  // What comes if the reader asks for nothing; nothing where that cannot be told.
  std::optional<StreamPosition> coming;
  // What it is to have; nothing where nothing is known, and it takes what comes.
  std::optional<StreamPosition> wanted;
  // Who has had what it would have instead; 0 where nobody has, or that is as it should be.
  int64_t passed_over_for = 0;
  uint64_t passed_over_from = 0;

  bool ComesAnyway() const;
  // That epochs are passed over, for a log; empty where there is nothing to say.
  std::string Notice() const;
};

// Of this pipe of this prefetcher's session (feed_status.h).
UnreadEpoch FindUnreadEpoch(const std::string& pipe_dir, const std::string& channel,
                            const std::string& session, uint64_t pipe);

// In RestoredEpochs.
std::string ChannelKey(const std::string& pipe_dir, const std::string& channel);

// What a reader that was told to begin in this epoch is to log: that another process, which lives,
// has had it too. Empty where none has.
std::string NoticeOfShared(const std::string& pipe_dir, const std::string& channel,
                           const std::string& session, uint64_t epoch);

}  // namespace smtf

#endif  // SMTF_PIPE_UNREAD_EPOCH_H_
