// Streams of objects with their boundaries.
#ifndef SMTF_TESTS_FRAMING_FRAMED_OBJECTS_H_
#define SMTF_TESTS_FRAMING_FRAMED_OBJECTS_H_

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "errors.h"
#include "framing/object_frames.h"

namespace smtf {

inline void AppendChunk(std::string_view bytes, bool last, std::string* stream,
                        bool failed = false) {
  char header[kChunkHeaderBytes];
  StoreChunkHeader({bytes.size(), last, failed}, header);
  stream->append(header, sizeof(header)).append(bytes);
}

// In chunks of up to `most` bytes; some are empty, the last one too where the seed says so.
inline void AppendObject(std::string_view bytes, size_t most, std::mt19937* random,
                         std::string* stream, const std::optional<Error>& failure = std::nullopt) {
  for (;;) {
    const size_t size = std::min<size_t>((*random)() % (most + 1), bytes.size());
    const bool last = size == bytes.size() && !failure && (*random)() % 2 == 0;
    AppendChunk(bytes.substr(0, size), last, stream);
    bytes.remove_prefix(size);
    if (last) return;
    if (bytes.empty() && failure) break;
  }
  AppendChunk(FailurePayload(*failure), true, stream, true);
}

}  // namespace smtf

#endif  // SMTF_TESTS_FRAMING_FRAMED_OBJECTS_H_
