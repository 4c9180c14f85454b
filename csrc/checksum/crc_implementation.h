// One of several ways of computing a CRC.
#ifndef SMTF_CHECKSUM_CRC_IMPLEMENTATION_H_
#define SMTF_CHECKSUM_CRC_IMPLEMENTATION_H_

#include <cstddef>

namespace smtf {

template <typename Word>
struct CrcImplementation {
  const char* name;
  // The CRC of A followed by `data`, where `crc` is the CRC of A; start with 0. Thread-safe.
  Word (*extend)(Word crc, const char* data, size_t size);
};

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC_IMPLEMENTATION_H_
