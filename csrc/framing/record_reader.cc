#include "framing/record_reader.h"

#include <string>

#include "errors.h"
#include "framing/recordio_reader.h"
#include "framing/text_line_reader.h"
#include "framing/tfrecord_reader.h"

namespace smtf {
namespace {

void CheckBounds(const char* name, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorKind::kInvalidArgument,
              std::string(name) + " must lie between " + std::to_string(low) + " and " +
                  std::to_string(high) + ", not " + std::to_string(value));
}

}  // namespace

RecordFormat ParseRecordFormat(std::string_view name) {
  if (name == "RecordIO") return RecordFormat::kRecordIO;
  if (name == "TFRecord") return RecordFormat::kTFRecord;
  if (name == "TextLine") return RecordFormat::kTextLine;
  throw Error(ErrorKind::kInvalidArgument,
              "record_format must be \"RecordIO\", \"TFRecord\" or \"TextLine\", not \"" +
                  std::string(name) + "\"");
}

std::string_view RecordFormatName(RecordFormat format) {
  switch (format) {
    case RecordFormat::kRecordIO:
      return "RecordIO";
    case RecordFormat::kTFRecord:
      return "TFRecord";
    case RecordFormat::kTextLine:
      break;
  }
  return "TextLine";
}

std::unique_ptr<RecordReader> MakeRecordReader(RecordFormat format, ByteSource* source,
                                               const RecordReaderOptions& options) {
  CheckBounds("buffer_bytes", options.buffer_bytes, 16, uint64_t{1} << 30);
  CheckBounds("max_record_bytes", options.max_record_bytes, 1, uint64_t{1} << 62);
  switch (format) {
    case RecordFormat::kRecordIO:
      return std::make_unique<RecordIOReader>(source, options);
    case RecordFormat::kTFRecord:
      return std::make_unique<TFRecordReader>(source, options);
    case RecordFormat::kTextLine:
      return std::make_unique<TextLineReader>(source, options);
  }
  throw Error(ErrorKind::kInvalidArgument, "unknown record format");
}

}  // namespace smtf
