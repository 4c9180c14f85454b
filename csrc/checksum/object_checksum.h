// The checksums that S3 keeps of an object and sends as x-amz-checksum-* headers.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
#ifndef SMTF_CHECKSUM_OBJECT_CHECKSUM_H_
#define SMTF_CHECKSUM_OBJECT_CHECKSUM_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace smtf {

enum class ChecksumKind {
  kCrc32c,     // CRC-32C, RFC 3720
  kCrc32,      // CRC-32, ISO-HDLC, as in gzip and zlib
  kCrc64Nvme,  // CRC-64/NVME, NVM Express NVM Command Set Specification
};

// "CRC32C", "CRC32", "CRC64NVME"
const char* ChecksumName(ChecksumKind kind);

// The checksum of A followed by `data`, where `checksum` is that of A; start with 0. Thread-safe.
uint64_t ExtendChecksum(ChecksumKind kind, uint64_t checksum, std::string_view data);

// The checksum of A followed by B, from those of A and B and the length of B.
uint64_t CombineChecksums(ChecksumKind kind, uint64_t a, uint64_t b, uint64_t b_bytes);

// What a store says that an object's checksum is.
struct AnnouncedChecksum {
  ChecksumKind kind = ChecksumKind::kCrc32c;
  uint64_t value = 0;
};

// Reads a response header; `name` in lower case. Nothing for other headers, for kinds of checksums
// that are not computed here (SHA), for the checksums of checksums of multipart uploads
// ("base64-3") and for what is not base64 of the right length.
std::optional<AnnouncedChecksum> ParseChecksumHeader(std::string_view name, std::string_view value);

}  // namespace smtf

#endif  // SMTF_CHECKSUM_OBJECT_CHECKSUM_H_
