// Cuts the objects of a framed stream (object_frames.h) into records.
#ifndef SMTF_FRAMING_OBJECT_RECORD_READER_H_
#define SMTF_FRAMING_OBJECT_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "errors.h"
#include "framing/byte_source.h"
#include "framing/object_frames.h"
#include "framing/record_reader.h"
#include "framing/scratch.h"

namespace smtf {

// Consecutive records of one object, in one piece of memory.
struct ObjectRecords {
  uint64_t object = 0;            // its number in the stream
  uint64_t first_record = 0;      // number of the first of them in the object
  std::vector<uint64_t> offsets;  // where each begins in the object, framing included
  std::vector<size_t> ends;       // where each ends in `bytes`
  Scratch bytes;                  // their payloads, one behind the other
  bool ended = false;             // nothing of the object follows
  // Why the object cannot be read any further; then `ended` is true. A CorruptRecordError, or what
  // the prefetcher said of it.
  std::shared_ptr<const Error> failure;

  size_t size() const { return ends.size(); }
  std::string_view operator[](size_t index) const;
  void Clear();
};

struct ObjectRecordLimits {
  uint64_t max_record_bytes = uint64_t{1} << 30;
  // A chunk of records is full once it has so many, or so many bytes: at least 1.
  size_t chunk_records = 1024;
  size_t chunk_bytes = 8 * 1024 * 1024;
};

// Without a format each object is one record, also one without bytes. With one an object without
// bytes has no records.
//
// What is wrong with an object ends that object: its good records are given, then the error, and
// the next object follows. Errors of the stream itself are thrown; after one there is nothing more
// to be had.
//
// Not thread-safe.
class ObjectRecordReader {
 public:
  // `stream` must outlive the reader. A limit out of its bounds is an Error of kind
  // kInvalidArgument.
  ObjectRecordReader(ByteSource* stream, std::optional<RecordFormat> format,
                     const ObjectRecordLimits& limits);

  // The next records of the object under way, or of the next. False at the end of the stream. An
  // object's last chunk may be without records; only the last may.
  bool Next(ObjectRecords* chunk);

 private:
  bool BeginObject();
  bool Cut(ObjectRecords* chunk);
  bool CutWhole(ObjectRecords* chunk);
  void Fail(ObjectRecords* chunk, std::shared_ptr<const Error> failure);

  const std::optional<RecordFormat> format_;
  const ObjectRecordLimits limits_;
  RecordReaderOptions options_;
  ObjectFrames frames_;
  std::unique_ptr<RecordReader> reader_;  // of the object under way
  bool in_object_ = false;
};

}  // namespace smtf

#endif  // SMTF_FRAMING_OBJECT_RECORD_READER_H_
