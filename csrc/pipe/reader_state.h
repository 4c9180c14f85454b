// What a checkpoint holds of an iterator.
#ifndef SMTF_PIPE_READER_STATE_H_
#define SMTF_PIPE_READER_STATE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "pipe/stream_position.h"

namespace smtf {

struct ReaderState {
  enum class Phase {
    kNew,      // it has read nothing
    kReading,  // it is behind `records` records
    kEnded,    // it has said that there is no more
  };
  std::string channel;
  std::string record_format;
  Phase phase = Phase::kNew;
  // Of the epoch, behind it.
  uint64_t records = 0;
  uint64_t bytes = 0;
  // What our prefetcher calls this place; nothing where another writes.
  std::optional<StreamPosition> position;
};

// One line of JSON, and back. ParseReaderState throws an Error of kind kDataLoss.
std::string FormatReaderState(const ReaderState& state);
ReaderState ParseReaderState(const std::string& text);

}  // namespace smtf

#endif  // SMTF_PIPE_READER_STATE_H_
