// CRCs by table lookups, eight bytes a step: for CPUs without anything better, and for what is too
// short for it.
#ifndef SMTF_CHECKSUM_CRC_TABLES_H_
#define SMTF_CHECKSUM_CRC_TABLES_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "framing/little_endian.h"

namespace smtf {

template <typename Polynomial>
class CrcTables {
 public:
  using Word = typename Polynomial::Word;

  // The state after `data`. A state is a CRC before its inversion.
  static Word Advance(Word state, const char* data, size_t size) {
    for (; size >= 8; data += 8, size -= 8) state = EightBytes(state, data);
    for (; size > 0; ++data, --size) {
      state = NextByte(state ^ static_cast<unsigned char>(*data));
    }
    return state;
  }

  // The finished CRC of A followed by `data`, where `crc` is that of A.
  static Word Extend(Word crc, const char* data, size_t size) {
    return static_cast<Word>(~Advance(static_cast<Word>(~crc), data, size));
  }

 private:
  using Tables = std::array<std::array<Word, 256>, 8>;

  // tables[k][b] is what byte b does to the state when k more bytes follow it.
  static constexpr Tables Make() {
    Tables tables{};
    for (size_t byte = 0; byte < 256; ++byte) {
      Word state = static_cast<Word>(byte);
      for (int bit = 0; bit < 8; ++bit) state = Polynomial::TimesX(state);
      tables[0][byte] = state;
    }
    for (size_t k = 1; k < 8; ++k) {
      for (size_t byte = 0; byte < 256; ++byte) {
        const Word before = tables[k - 1][byte];
        tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
      }
    }
    return tables;
  }

  static Word NextByte(Word state) { return (state >> 8) ^ kTables[0][state & 0xff]; }

  static Word EightBytes(Word state, const char* data) {
    const uint64_t word = LoadLE64(data) ^ state;
    Word next = 0;
    for (size_t i = 0; i < 8; ++i) next ^= kTables[7 - i][(word >> (8 * i)) & 0xff];
    return next;
  }

  static constexpr Tables kTables = Make();
};

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC_TABLES_H_
