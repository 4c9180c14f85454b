// CRC-64/NVME (NVM Express NVM Command Set Specification, 64b CRC), which S3 computes for every
// object that is written without another checksum; with what this CPU has.
#ifndef SMTF_CHECKSUM_CRC64_NVME_H_
#define SMTF_CHECKSUM_CRC64_NVME_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checksum/crc_implementation.h"

namespace smtf {

// The CRC of A followed by `data`, where `crc` is the CRC of A; start with 0. Thread-safe.
uint64_t ExtendCrc64Nvme(uint64_t crc, const char* data, size_t size);

// Those that this CPU can run, the best first, which is the one that ExtendCrc64Nvme uses. For
// tests and benchmarks.
const std::vector<CrcImplementation<uint64_t>>& Crc64NvmeImplementations();

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC64_NVME_H_
