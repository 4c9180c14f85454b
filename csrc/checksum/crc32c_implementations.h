// The implementations behind crc32c.h, besides tables. Each takes and returns the finished CRC, and
// says whether this CPU can run it.
#ifndef SMTF_CHECKSUM_CRC32C_IMPLEMENTATIONS_H_
#define SMTF_CHECKSUM_CRC32C_IMPLEMENTATIONS_H_

#include <cstddef>
#include <cstdint>

namespace smtf::crc32c {

#if defined(__x86_64__)
// The crc32 instruction on three streams at once, joined with one carry-less multiplication each.
bool HasSse42();
uint32_t ExtendSse42(uint32_t crc, const char* data, size_t size);

// 512-bit carry-less multiplications.
bool HasAvx512();
uint32_t ExtendAvx512(uint32_t crc, const char* data, size_t size);
#elif defined(__aarch64__)
bool HasArmCrc();
uint32_t ExtendArm(uint32_t crc, const char* data, size_t size);
#endif

}  // namespace smtf::crc32c

#endif  // SMTF_CHECKSUM_CRC32C_IMPLEMENTATIONS_H_
