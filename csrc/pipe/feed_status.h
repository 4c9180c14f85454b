// What a prefetcher tells a channel's reader beside the pipe, because a FIFO's end cannot say
// whether its writer finished or died.
//
// Files in the pipe directory, small and of mode 0600:
//   <channel>_<epoch>                 the FIFO
//   .<channel>_<epoch>.outcome.json   {"state": "streaming" | "done" | "abandoned" | "error", ...},
//                                     replaced in one step
//   .<channel>.feeder.json            {"session": ..., "pid": ...}, flock()ed for as long as the
//                                     prefetcher lives, so a death is seen whatever caused it
// SageMaker's own agent writes only the FIFO; then an end is an end.
#ifndef SMTF_PIPE_FEED_STATUS_H_
#define SMTF_PIPE_FEED_STATUS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "errors.h"

namespace smtf {

// <pipe_dir>/<channel>_<epoch>
std::string FifoPath(const std::string& pipe_dir, const std::string& channel, uint64_t epoch);

struct Outcome {
  enum class State {
    kStreaming,  // announced, not ended
    kDone,       // every byte was written and drained
    kAbandoned,  // the reader closed before the end, after reading some of it
    kError,      // the prefetcher could not go on
  };
  State state = State::kStreaming;
  uint64_t bytes = 0;    // written to the pipe
  uint64_t objects = 0;  // begun
  // Set with kError: what the training script shall raise.
  std::optional<ErrorKind> error_kind;
  std::string error_message;
};

// As JSON in one line, and back. ParseOutcome throws a std::exception for anything else.
std::string FormatOutcome(const Outcome& outcome);
Outcome ParseOutcome(const std::string& text);

// The outcome of an epoch, or nothing where no prefetcher of ours announced it. An unreadable file
// is an Error.
std::optional<Outcome> ReadOutcome(const std::string& pipe_dir, const std::string& channel,
                                   uint64_t epoch);

struct Feeder {
  std::string session;  // differs for every prefetcher that fed this channel
  int64_t pid = 0;
  bool alive = false;
};

// Who feeds the channel, or fed it last; nothing where no prefetcher of ours announced itself.
std::optional<Feeder> ReadFeeder(const std::string& pipe_dir, const std::string& channel);

// What the writing side (feed_claim.h) needs.
std::string OutcomePath(const std::string& pipe_dir, const std::string& channel, uint64_t epoch);
std::string FeederPath(const std::string& pipe_dir, const std::string& channel);
void WriteOutcome(const std::string& pipe_dir, const std::string& channel, uint64_t epoch,
                  const Outcome& outcome);

}  // namespace smtf

#endif  // SMTF_PIPE_FEED_STATUS_H_
