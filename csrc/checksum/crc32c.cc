#include "checksum/crc32c.h"

#include <atomic>

#include "checksum/crc32c_implementations.h"
#include "checksum/crc_polynomial.h"
#include "checksum/crc_tables.h"

namespace smtf {
namespace {

using Extend = uint32_t (*)(uint32_t, const char*, size_t);

uint32_t ChooseAndExtend(uint32_t crc, const char* data, size_t size);

// Set by the first call. An atomic pointer with a constant initialiser, because a static local
// would put a guard check, and a global constructor an order of initialisation, before every short
// CRC.
std::atomic<Extend> chosen{&ChooseAndExtend};

uint32_t ChooseAndExtend(uint32_t crc, const char* data, size_t size) {
  const Extend best = Crc32cImplementations().front().extend;
  chosen.store(best, std::memory_order_relaxed);
  return best(crc, data, size);
}

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, const char* data, size_t size) {
  return chosen.load(std::memory_order_relaxed)(crc, data, size);
}

const std::vector<Crc32cImplementation>& Crc32cImplementations() {
  static const std::vector<Crc32cImplementation> implementations = [] {
    std::vector<Crc32cImplementation> usable;
#if defined(__x86_64__)
    if (crc32c::HasAvx512()) usable.push_back({"avx512-vpclmulqdq", &crc32c::ExtendAvx512});
    if (crc32c::HasSse42()) usable.push_back({"sse4.2-pclmulqdq", &crc32c::ExtendSse42});
#elif defined(__aarch64__)
    if (crc32c::HasArmCrc()) usable.push_back({"armv8-crc", &crc32c::ExtendArm});
#endif
    usable.push_back({"portable", &CrcTables<Crc32cPolynomial>::Extend});
    return usable;
  }();
  return implementations;
}

}  // namespace smtf
