#include "checksum/crc32.h"

#include "checksum/crc_polynomial.h"
#include "checksum/usable_crcs.h"

namespace smtf {

uint32_t ExtendCrc32(uint32_t crc, const char* data, size_t size) {
  static const auto best = Crc32Implementations().front().extend;
  return best(crc, data, size);
}

const std::vector<CrcImplementation<uint32_t>>& Crc32Implementations() {
  static const auto implementations = UsableCrcImplementations<Crc32Polynomial>();
  return implementations;
}

}  // namespace smtf
