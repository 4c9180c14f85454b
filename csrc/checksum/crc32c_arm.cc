#if defined(__aarch64__)

#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "checksum/crc32c_implementations.h"
#include "framing/little_endian.h"

namespace smtf::crc32c {
namespace {

// Assembler, because arm_acle.h of clang 14 has the intrinsics only where the whole file is
// compiled for CPUs with the extension.
inline uint32_t EightBytes(uint32_t state, uint64_t data) {
  __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(state) : "r"(data));
  return state;
}

inline uint32_t OneByte(uint32_t state, unsigned char data) {
  __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(state) : "r"(uint32_t{data}));
  return state;
}

}  // namespace

bool HasArmCrc() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

uint32_t ExtendArm(uint32_t crc, const char* data, size_t size) {
  uint32_t state = ~crc;
  for (; size >= 8; data += 8, size -= 8) state = EightBytes(state, LoadLE64(data));
  for (; size > 0; ++data, --size) state = OneByte(state, static_cast<unsigned char>(*data));
  return ~state;
}

}  // namespace smtf::crc32c

#endif  // defined(__aarch64__)
