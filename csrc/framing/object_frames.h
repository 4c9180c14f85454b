// A stream of objects with their boundaries, and the objects in it as streams of their own.
//
// An object is one chunk or several. A chunk is
//
//   uint64  little endian; bit 63: the object's last chunk, bit 62: see below, the rest: length
//   byte    payload[length]
//
// An object without bytes is one last chunk of length 0. A last chunk with bit 62 says that the
// object could not be had beyond here: its payload is an error kind's name, a '\n' and a message.
#ifndef SMTF_FRAMING_OBJECT_FRAMES_H_
#define SMTF_FRAMING_OBJECT_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "errors.h"
#include "framing/buffered_source.h"
#include "framing/byte_source.h"

namespace smtf {

inline constexpr size_t kChunkHeaderBytes = 8;
// A longer message is cut off.
inline constexpr size_t kMostFailureBytes = 32 * 1024;

struct ChunkHeader {
  uint64_t length = 0;
  bool last = false;
  bool failed = false;
};

void StoreChunkHeader(const ChunkHeader& header, char* to);
ChunkHeader LoadChunkHeader(const char* from);
// The payload of a chunk that says why its object ends.
std::string FailurePayload(const Error& failure);

// What such a chunk said. Everything else that is wrong with the stream is another Error.
class ObjectFailure : public Error {
 public:
  using Error::Error;
};

// The objects of a stream, one after the other: as a ByteSource it ends where the object under way
// does. Not thread-safe. Errors of the stream pass through, and a stream that ends within an object
// is one of kind kDataLoss.
class ObjectFrames final : public ByteSource {
 public:
  // `stream` must outlive this.
  explicit ObjectFrames(ByteSource* stream);

  // Moves to the next object, past what is left of the one before. False at the stream's end.
  bool NextObject();
  // Of the object under way, from 0.
  uint64_t number() const { return objects_ - 1; }

  // Of the object under way. Where it could not be had to its end an ObjectFailure.
  size_t Read(char* dst, size_t max) override;
  size_t MoveTo(PartialFile* file, uint64_t max) override;
  std::string Describe() const override;

 private:
  bool FindBytes();
  bool TakeHeader();
  void TakeFailure();
  void SkipRest();
  [[noreturn]] void FailCut() const;

  BufferedSource input_;
  uint64_t objects_ = 0;  // entered
  uint64_t left_ = 0;     // of the chunk under way
  bool last_ = true;      // no chunk follows it
  std::optional<ObjectFailure> failure_;
};

}  // namespace smtf

#endif  // SMTF_FRAMING_OBJECT_FRAMES_H_
