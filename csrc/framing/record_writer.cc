#include "framing/record_writer.h"

#include <cstdint>

#include "checksum/crc32c.h"
#include "errors.h"
#include "framing/little_endian.h"
#include "framing/recordio_format.h"

namespace smtf {
namespace {

void AppendPart(recordio::Flag flag, std::string_view payload, std::string* out) {
  AppendLE32(recordio::kMagic, out);
  AppendLE32(recordio::Encode(flag, static_cast<uint32_t>(payload.size())), out);
  out->append(payload);
  out->append(recordio::Padded(payload.size()) - payload.size(), '\0');
}

// The first offset from `from` on, a multiple of 4 as `from` is, where `record` holds the magic
// number; npos when there is none.
size_t FindMagic(std::string_view record, size_t from) {
  for (size_t at = from; at + recordio::kMagicBytes <= record.size(); at += 4) {
    if (LoadLE32(record.data() + at) == recordio::kMagic) return at;
  }
  return std::string_view::npos;
}

}  // namespace

void AppendTFRecord(std::string_view record, std::string* out) {
  const size_t header = out->size();
  AppendLE64(record.size(), out);
  AppendLE32(MaskCrc32c(ExtendCrc32c(0, out->data() + header, 8)), out);
  out->append(record);
  AppendLE32(MaskCrc32c(Crc32c(record)), out);
}

void AppendRecordIO(std::string_view record, std::string* out) {
  if (record.size() > recordio::kMaxLength) {
    throw Error(ErrorKind::kInvalidArgument,
                "a RecordIO record has at most " + std::to_string(recordio::kMaxLength) +
                    " bytes, and this one has " + std::to_string(record.size()) +
                    "; split it, or write TFRecord");
  }
  size_t begin = 0;
  for (size_t at = FindMagic(record, 0); at != std::string_view::npos;
       at = FindMagic(record, begin)) {
    AppendPart(begin == 0 ? recordio::kFirst : recordio::kMiddle, record.substr(begin, at - begin),
               out);
    begin = at + recordio::kMagicBytes;
  }
  AppendPart(begin == 0 ? recordio::kWhole : recordio::kLast, record.substr(begin), out);
}

void AppendTextLine(std::string_view record, std::string* out) {
  const size_t newline = record.find('\n');
  if (newline != std::string_view::npos) {
    throw Error(ErrorKind::kInvalidArgument,
                "a TextLine record cannot hold a line feed, and this one of " +
                    std::to_string(record.size()) + " bytes has one at byte " +
                    std::to_string(newline) + "; escape it, or write RecordIO or TFRecord");
  }
  out->append(record);
  out->push_back('\n');
}

void AppendRecord(RecordFormat format, std::string_view record, std::string* out) {
  switch (format) {
    case RecordFormat::kRecordIO:
      return AppendRecordIO(record, out);
    case RecordFormat::kTFRecord:
      return AppendTFRecord(record, out);
    case RecordFormat::kTextLine:
      return AppendTextLine(record, out);
  }
}

}  // namespace smtf
