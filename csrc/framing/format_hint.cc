#include "framing/format_hint.h"

#include <cstddef>
#include <cstdint>

#include "checksum/crc32c.h"
#include "framing/little_endian.h"
#include "framing/recordio_format.h"

namespace smtf {
namespace {

// A length, and its checksum.
constexpr size_t kTFRecordLengthBytes = 8;
constexpr size_t kTFRecordHeaderBytes = 12;

bool IsGzip(std::string_view seen) {  // RFC 1952, 2.3.1
  return seen.substr(0, 2) == "\x1f\x8b";
}

bool IsRecordIO(std::string_view seen) {
  return seen.size() >= recordio::kMagicBytes && LoadLE32(seen.data()) == recordio::kMagic;
}

bool IsTFRecord(std::string_view seen) {
  return seen.size() >= kTFRecordHeaderBytes &&
         MaskCrc32c(ExtendCrc32c(0, seen.data(), kTFRecordLengthBytes)) ==
             LoadLE32(seen.data() + kTFRecordLengthBytes);
}

}  // namespace

std::string FormatHint(std::string_view seen) {
  if (IsGzip(seen)) return "; this is how a gzip file begins: set compression to Gzip";
  if (IsRecordIO(seen)) return "; this is how a RecordIO record begins";
  if (IsTFRecord(seen)) return "; this is how a TFRecord begins";
  return "";
}

}  // namespace smtf
