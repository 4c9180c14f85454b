#include "checksum/crc64_nvme.h"

#include "checksum/crc_polynomial.h"
#include "checksum/usable_crcs.h"

namespace smtf {

uint64_t ExtendCrc64Nvme(uint64_t crc, const char* data, size_t size) {
  static const auto best = Crc64NvmeImplementations().front().extend;
  return best(crc, data, size);
}

const std::vector<CrcImplementation<uint64_t>>& Crc64NvmeImplementations() {
  static const auto implementations = UsableCrcImplementations<Crc64NvmePolynomial>();
  return implementations;
}

}  // namespace smtf
