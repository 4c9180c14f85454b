#include "checksum/object_checksum.h"

#include <array>
#include <cstddef>

#include "checksum/crc32.h"
#include "checksum/crc32c.h"
#include "checksum/crc64_nvme.h"
#include "checksum/crc_polynomial.h"
#include "errors.h"

namespace smtf {
namespace {

struct Header {
  std::string_view name;
  ChecksumKind kind;
  size_t bytes;
};

constexpr std::array<Header, 3> kHeaders = {{
    {"x-amz-checksum-crc32c", ChecksumKind::kCrc32c, 4},
    {"x-amz-checksum-crc32", ChecksumKind::kCrc32, 4},
    {"x-amz-checksum-crc64nvme", ChecksumKind::kCrc64Nvme, 8},
}};

[[noreturn]] void ThrowUnknownKind() {
  throw Error(ErrorKind::kInternal, "a checksum of a kind that there is not");
}

std::optional<uint32_t> Base64Digit(char c) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const size_t digit = kDigits.find(c);
  if (digit == std::string_view::npos) return std::nullopt;
  return static_cast<uint32_t>(digit);
}

// The big-endian number of `bytes` bytes, at most 8, whose base64 `text` is: RFC 4648 section 4,
// with its padding and without bits that belong to no byte.
std::optional<uint64_t> DecodeBase64(std::string_view text, size_t bytes) {
  const size_t digits = (8 * bytes + 5) / 6;
  const size_t padding = (4 - digits % 4) % 4;
  if (text.size() != digits + padding) return std::nullopt;
  if (text.substr(digits) != std::string_view("==", padding)) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i + 1 < digits; ++i) {
    const auto digit = Base64Digit(text[i]);
    if (!digit) return std::nullopt;
    value = value << 6 | *digit;
  }
  const auto last = Base64Digit(text[digits - 1]);
  const size_t surplus = 6 * digits - 8 * bytes;
  if (!last || (*last & ((1u << surplus) - 1)) != 0) return std::nullopt;
  return value << (6 - surplus) | *last >> surplus;
}

}  // namespace

const char* ChecksumName(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::kCrc32c:
      return "CRC32C";
    case ChecksumKind::kCrc32:
      return "CRC32";
    case ChecksumKind::kCrc64Nvme:
      return "CRC64NVME";
  }
  ThrowUnknownKind();
}

uint64_t ExtendChecksum(ChecksumKind kind, uint64_t checksum, std::string_view data) {
  switch (kind) {
    case ChecksumKind::kCrc32c:
      return ExtendCrc32c(static_cast<uint32_t>(checksum), data.data(), data.size());
    case ChecksumKind::kCrc32:
      return ExtendCrc32(static_cast<uint32_t>(checksum), data.data(), data.size());
    case ChecksumKind::kCrc64Nvme:
      return ExtendCrc64Nvme(checksum, data.data(), data.size());
  }
  ThrowUnknownKind();
}

uint64_t CombineChecksums(ChecksumKind kind, uint64_t a, uint64_t b, uint64_t b_bytes) {
  switch (kind) {
    case ChecksumKind::kCrc32c:
      return Crc32cPolynomial::Combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b), b_bytes);
    case ChecksumKind::kCrc32:
      return Crc32Polynomial::Combine(static_cast<uint32_t>(a), static_cast<uint32_t>(b), b_bytes);
    case ChecksumKind::kCrc64Nvme:
      return Crc64NvmePolynomial::Combine(a, b, b_bytes);
  }
  ThrowUnknownKind();
}

std::optional<AnnouncedChecksum> ParseChecksumHeader(std::string_view name,
                                                     std::string_view value) {
  for (const Header& header : kHeaders) {
    if (name != header.name) continue;
    const auto checksum = DecodeBase64(value, header.bytes);
    if (!checksum) return std::nullopt;
    return AnnouncedChecksum{header.kind, *checksum};
  }
  return std::nullopt;
}

}  // namespace smtf
