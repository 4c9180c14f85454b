// CRC-32 (ISO-HDLC, RFC 1952 section 8), the one of gzip and zlib, with what this CPU has.
#ifndef SMTF_CHECKSUM_CRC32_H_
#define SMTF_CHECKSUM_CRC32_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checksum/crc_implementation.h"

namespace smtf {

// The CRC of A followed by `data`, where `crc` is the CRC of A; start with 0. Thread-safe.
uint32_t ExtendCrc32(uint32_t crc, const char* data, size_t size);

// Those that this CPU can run, the best first, which is the one that ExtendCrc32 uses. For tests
// and benchmarks.
const std::vector<CrcImplementation<uint32_t>>& Crc32Implementations();

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC32_H_
