// Where in a channel's data a reader is, so that another can go on from there.
#ifndef SMTF_PIPE_STREAM_POSITION_H_
#define SMTF_PIPE_STREAM_POSITION_H_

#include <cstdint>
#include <string>

namespace smtf {

// The prefetcher's words for a place in a pipe's stream. They mean the same to the next prefetcher
// of the same channel, whose pipes are numbered anew.
struct StreamPosition {
  // Of the channel's data: it decides the order of a shuffle.
  uint64_t epoch = 0;
  // Which of the epoch's objects it is, in the order of this pipe, from 0.
  uint64_t object = 0;
  // Of that object, as the prefetcher describes and lists it; empty at the beginning of an epoch
  // that nothing was read of.
  std::string name;
  std::string etag;
  // How much of what the object gives to the stream is behind: its bytes or, where it is
  // decompressed or wrapped, what comes of them. At the object's end it is all of that.
  uint64_t offset = 0;
  // What else decides the stream, such as the shuffle's seed; empty where nobody has told.
  std::string settings;
  // Of all objects, where their order in the epoch depends on all of them; else empty.
  std::string objects;
};

// One JSON object in one line, and back. ParsePosition throws what nlohmann::json throws.
std::string FormatPosition(const StreamPosition& position);
StreamPosition ParsePosition(const std::string& text);

// The text as JSON brings it to the other side: bytes that are no UTF-8 are replaced.
std::string AsJsonText(const std::string& text);

}  // namespace smtf

#endif  // SMTF_PIPE_STREAM_POSITION_H_
