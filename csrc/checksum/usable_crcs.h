// The ways of computing a CRC for which no instruction was made, and the choice among them.
#ifndef SMTF_CHECKSUM_USABLE_CRCS_H_
#define SMTF_CHECKSUM_USABLE_CRCS_H_

#include <cstddef>
#include <vector>

#include "checksum/crc_folding_x86.h"
#include "checksum/crc_implementation.h"
#include "checksum/crc_tables.h"

namespace smtf {

#if defined(__x86_64__)
// What is left of `size` after whole blocks, and the 16 bytes that stand for those, go through the
// tables: at most 79 bytes.
template <typename Polynomial, template <typename> class Folding>
SMTF_TARGET_PCLMUL typename Polynomial::Word ExtendByFolding(typename Polynomial::Word crc,
                                                             const char* data, size_t size) {
  using Word = typename Polynomial::Word;
  using Tables = CrcTables<Polynomial>;
  if (size < Folding<Polynomial>::kLeast) return Tables::Extend(crc, data, size);
  const size_t whole = size - size % Folding<Polynomial>::kBlock;
  alignas(16) char folded[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(folded),
                  Folding<Polynomial>::Fold(static_cast<Word>(~crc), data, whole));
  const Word state = Tables::Advance(0, folded, sizeof(folded));
  return static_cast<Word>(~Tables::Advance(state, data + whole, size - whole));
}
#endif

// Those that this CPU can run, the best first.
template <typename Polynomial>
std::vector<CrcImplementation<typename Polynomial::Word>> UsableCrcImplementations() {
  std::vector<CrcImplementation<typename Polynomial::Word>> usable;
#if defined(__x86_64__)
  if (HasAvx512Clmul()) {
    usable.push_back({"avx512-vpclmulqdq", &ExtendByFolding<Polynomial, Avx512Folding>});
  }
  if (HasPclmul()) usable.push_back({"pclmulqdq", &ExtendByFolding<Polynomial, PclmulFolding>});
#endif
  usable.push_back({"portable", &CrcTables<Polynomial>::Extend});
  return usable;
}

}  // namespace smtf

#endif  // SMTF_CHECKSUM_USABLE_CRCS_H_
