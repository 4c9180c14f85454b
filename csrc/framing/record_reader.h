// The contract of the three record readers.
#ifndef SMTF_FRAMING_RECORD_READER_H_
#define SMTF_FRAMING_RECORD_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "errors.h"
#include "framing/byte_source.h"

namespace smtf {

enum class RecordFormat { kRecordIO, kTFRecord, kTextLine };

// "RecordIO", "TFRecord" or "TextLine"; anything else is an Error of kind kInvalidArgument that
// lists the three.
RecordFormat ParseRecordFormat(std::string_view name);
// The reverse.
std::string_view RecordFormatName(RecordFormat format);

struct RecordReaderOptions {
  // Capacity of the buffer that records are cut from. 256 KiB stays in a core's L2 cache between
  // the read and the copy out. From 16 bytes (the longest header is 12) to 1 GiB.
  size_t buffer_bytes = 256 * 1024;
  // A longer record is an error before anything is allocated for it. From 1 byte to 2^62.
  uint64_t max_record_bytes = uint64_t{1} << 30;
  // TFRecord: how many records in a row may fail the CRC of their payload and be left out, as in
  // the original extension; one more is an error. 0 makes the first an error.
  uint64_t max_corrupted_records_to_skip = 0;
  // Called for every record that is left out, on the thread that reads, so that it can be logged.
  std::function<void(const CorruptRecordError&)> on_skipped;
  // TextLine: take a '\r' before the '\n' off. The original extension kept it.
  bool strip_carriage_return = false;
};

// Where NextInto puts a record, so that it is copied once.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Room for a record of `size` bytes, uninitialised. Called at least once in a NextInto that
  // returns true; a later call in the same NextInto (a corrupted record was left out) discards what
  // was there.
  virtual char* Allocate(size_t size) = 0;
};

// Cuts a ByteSource into records. Not thread-safe.
//
// After a CorruptRecordError with Flaw::kBadDataCrc the reader stands behind the broken record and
// can go on. After any other CorruptRecordError there is no next record to be found: later calls
// report the end of the stream. Errors of the source pass through.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // The next record, or false at the end. The view points into the reader and lives until the next
  // call.
  virtual bool Next(std::string_view* record) = 0;

  // The next record into `sink`, or false at the end. Large payloads are read from the source
  // straight into the sink's memory. At the end, and after an Error, the sink's content is
  // unspecified.
  virtual bool NextInto(RecordSink* sink) = 0;

  // Moves past up to `count` records by their headers, without copying or verifying payloads.
  // Returns how many there were.
  virtual uint64_t Skip(uint64_t count) = 0;

  // Records that the reader is past: returned, skipped, left out as corrupted, or reported as
  // kBadDataCrc. Skip(record_index()) on a fresh stream leads to the same place.
  virtual uint64_t record_index() const = 0;
  // Stream offset of the first byte behind the last of those.
  virtual uint64_t byte_offset() const = 0;
  // What errors count records and bytes from, where the stream is the rest of another.
  virtual void set_origin(uint64_t record_index, uint64_t byte_offset) = 0;
  // How many corrupted records were left out so far.
  virtual uint64_t corrupted_records() const = 0;
};

// `source` must outlive the reader. An option out of its bounds is an Error of kind
// kInvalidArgument.
std::unique_ptr<RecordReader> MakeRecordReader(RecordFormat format, ByteSource* source,
                                               const RecordReaderOptions& options);

}  // namespace smtf

#endif  // SMTF_FRAMING_RECORD_READER_H_
