// CRC-32C (Castagnoli, RFC 3720 section 12.1), with the instructions that this CPU has.
#ifndef SMTF_CHECKSUM_CRC32C_H_
#define SMTF_CHECKSUM_CRC32C_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "checksum/crc_implementation.h"

namespace smtf {

// The CRC of A followed by `data`, where `crc` is the CRC of A; start with 0. Thread-safe.
uint32_t ExtendCrc32c(uint32_t crc, const char* data, size_t size);

inline uint32_t Crc32c(std::string_view data) { return ExtendCrc32c(0, data.data(), data.size()); }

// TFRecord stores CRCs masked, because the CRC of a string that holds its own CRC is degenerate.
// tensorflow/core/lib/hash/crc32c.h has the same definition.
constexpr uint32_t MaskCrc32c(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

using Crc32cImplementation = CrcImplementation<uint32_t>;

// Those that this CPU can run, the best first, which is the one that ExtendCrc32c uses. For tests
// and benchmarks.
const std::vector<Crc32cImplementation>& Crc32cImplementations();

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC32C_H_
