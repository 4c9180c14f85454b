#include "pipe/unread_epoch.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "pipe/epoch_readers.h"
#include "pipe/feed_status.h"
#include "pipe/object_log.h"
#include "pipe/restored_epochs.h"

namespace smtf {
namespace {

constexpr char kAdvice[] =
    "where processes are to share a channel's epochs, give each a pipe (pipes_per_channel)";

// Whether a reader could not have what it asked for. What comes then is what would have come
// instead of it.
bool WasRefused(const std::string& pipe_dir, const std::string& channel, uint64_t pipe,
                ObjectLogReader* log) {
  if (log->head().request.empty() || log->HasObjects()) return false;
  const auto outcome = ReadOutcome(pipe_dir, channel, pipe);
  return outcome && outcome->state == Outcome::State::kError;
}

std::optional<StreamPosition> ComingThrough(const std::string& pipe_dir, const std::string& channel,
                                            uint64_t pipe) {
  StreamPosition position;
  if (pipe == 0) return position;
  ObjectLogReader before(ObjectLogPath(pipe_dir, channel, pipe - 1));
  if (!before.exists()) return std::nullopt;
  if (WasRefused(pipe_dir, channel, pipe - 1, &before)) return std::nullopt;
  position.epoch = before.head().epoch + 1;
  position.settings = before.head().settings;
  return position;
}

// Before the first pipe has come, its settings are not known.
bool SettingsAgree(const StreamPosition& wanted, const StreamPosition& coming) {
  return wanted.settings.empty() || coming.settings.empty() || wanted.settings == coming.settings;
}

std::vector<ChannelReader> ReadersThatCount(const std::string& pipe_dir, const std::string& channel,
                                            const std::string& session, bool own) {
  std::vector<ChannelReader> counting;
  const ProcessName self = ThisProcess();
  for (ChannelReader& reader : ReadEpochReaders(pipe_dir, channel, session)) {
    if (own || !(reader.process == self)) counting.push_back(std::move(reader));
  }
  return counting;
}

// Moves `found` behind what others have had.
void PassOver(const std::vector<ChannelReader>& readers, UnreadEpoch* found) {
  uint64_t* const epoch = &found->wanted->epoch;
  found->passed_over_from = *epoch;
  for (bool moved = true; moved;) {
    moved = false;
    for (const ChannelReader& reader : readers) {
      const uint64_t outside = reader.epochs.FirstOutside(*epoch);
      if (outside == *epoch) continue;
      *epoch = outside;
      found->passed_over_for = reader.process.pid;
      moved = true;
    }
  }
}

}  // namespace

bool UnreadEpoch::ComesAnyway() const {
  return !wanted || (coming && wanted->epoch == coming->epoch && SettingsAgree(*wanted, *coming));
}

UnreadEpoch FindUnreadEpoch(const std::string& pipe_dir, const std::string& channel,
                            const std::string& session, uint64_t pipe) {
  const RestoredEpochs::Standing standing =
      EpochsOfRestored().Of(ChannelKey(pipe_dir, channel), session);
  UnreadEpoch found;
  found.coming = ComingThrough(pipe_dir, channel, pipe);
  // What comes may be far ahead of a process that was restored, where another one has asked for it:
  // what lies between may be nobody's.
  found.wanted = standing.next ? standing.next : found.coming;
  // What a process that was restored has had itself, RestoredEpochs knows: it may have gone back.
  const bool own = !standing.restored;
  if (found.wanted) PassOver(ReadersThatCount(pipe_dir, channel, session, own), &found);
  // Among those that read in turns it is nothing to speak of.
  const bool first_since_restore = standing.next && !standing.read;
  if (found.ComesAnyway() && !first_since_restore) found.passed_over_for = 0;
  return found;
}

std::string ChannelKey(const std::string& pipe_dir, const std::string& channel) {
  return pipe_dir + "/" + channel;
}

std::string UnreadEpoch::Notice() const {
  if (passed_over_for == 0) return "";
  const std::string whose =
      passed_over_for == getpid()
          ? "this process has"
          : "process " + std::to_string(passed_over_for) + ", which runs, has";
  return "epochs " + std::to_string(passed_over_from) + " to " + std::to_string(wanted->epoch - 1) +
         " are left out here: " + whose +
         " had them. If it is none of this training's, end it before you restore; " + kAdvice;
}

std::string NoticeOfShared(const std::string& pipe_dir, const std::string& channel,
                           const std::string& session, uint64_t epoch) {
  for (const ChannelReader& reader : ReadersThatCount(pipe_dir, channel, session, false)) {
    if (reader.epochs.FirstOutside(epoch) == epoch) continue;
    return "epoch " + std::to_string(epoch) +
           ", where this reader was told to begin, was given to process " +
           std::to_string(reader.process.pid) + " too, which runs: both read it; " + kAdvice;
  }
  return "";
}

}  // namespace smtf
