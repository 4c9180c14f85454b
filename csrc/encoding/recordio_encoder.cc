#include "encoding/recordio_encoder.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "errors.h"
#include "framing/recordio_format.h"

namespace smtf {
namespace {

using recordio::kHeaderBytes;
using recordio::Padded;

// Larger pieces go into the pipe without a copy, see FifoWriter.
constexpr size_t kCopiedBytes = 64 * 1024;
constexpr char kZeros[4] = {};

uint32_t CheckedLength(uint64_t bytes) {
  if (bytes <= recordio::kMaxLength) return static_cast<uint32_t>(bytes);
  throw Error(ErrorKind::kInvalidArgument,
              "an object of " + std::to_string(bytes) +
                  " bytes cannot be wrapped: a RecordIO record has less than 2^29 = 536870912; "
                  "split the object, or turn the wrapping off");
}

void StoreHeader(uint32_t length, char* to) {
  const uint32_t header[] = {recordio::kMagic, recordio::Encode(recordio::kWhole, length)};
  static_assert(sizeof(header) == kHeaderBytes);
  std::memcpy(to, header, sizeof(header));  // little_endian.h: so is this machine
}

}  // namespace

bool RecordIOEncoder::Write(const PartSpec& part, std::string_view bytes,
                            std::shared_ptr<const void> owner, const Sink& sink) {
  const uint32_t length = CheckedLength(part.object.size);
  if (part.begins_object) {
    const bool small = kHeaderBytes + Padded(length) < kCopiedBytes;
    if (part.ends_object && small) return WriteWhole(bytes, sink);
    if (!WriteHeader(length, sink)) return false;
  }
  if (!bytes.empty() && !sink(bytes, std::move(owner))) return false;
  const size_t padding = part.ends_object ? Padded(length) - length : 0;
  return padding == 0 || sink({kZeros, padding}, nullptr);
}

bool RecordIOEncoder::WriteWhole(std::string_view bytes, const Sink& sink) {
  const size_t size = kHeaderBytes + Padded(bytes.size());
  char* to = output_.Reserve(size).data;
  StoreHeader(static_cast<uint32_t>(bytes.size()), to);
  char* end = std::copy(bytes.begin(), bytes.end(), to + kHeaderBytes);
  std::fill(end, to + size, '\0');
  OutputBuffers::Piece piece = output_.Give(size);
  return sink(piece.bytes, std::move(piece.owner));
}

bool RecordIOEncoder::WriteHeader(uint32_t length, const Sink& sink) {
  StoreHeader(length, output_.Reserve(kHeaderBytes).data);
  OutputBuffers::Piece piece = output_.Give(kHeaderBytes);
  return sink(piece.bytes, std::move(piece.owner));
}

}  // namespace smtf
