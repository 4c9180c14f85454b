// Arithmetic modulo the polynomial of a CRC, from which every table and folding constant is derived
// at compile time, and with which CRCs are combined.
#ifndef SMTF_CHECKSUM_CRC_POLYNOMIAL_H_
#define SMTF_CHECKSUM_CRC_POLYNOMIAL_H_

#include <cstdint>

namespace smtf {

// W is as wide as the CRC. Everything is bit-reflected: the top bit is the coefficient of x^0, bit
// 0 that of the highest power. x^width, which every such polynomial has, is left out.
template <typename W, W kReflected>
struct CrcPolynomial {
  using Word = W;
  static constexpr unsigned kWidth = 8 * sizeof(Word);
  static constexpr Word kOne = Word{1} << (kWidth - 1);
  static constexpr Word kX = kOne >> 1;

  static constexpr Word TimesX(Word a) { return (a >> 1) ^ ((a & 1) != 0 ? kReflected : 0); }

  static constexpr Word Multiply(Word a, Word b) {
    Word product = 0;
    for (Word bit = kOne; bit != 0; bit >>= 1) {
      if ((b & bit) != 0) product ^= a;
      a = TimesX(a);
    }
    return product;
  }

  static constexpr Word Power(Word base, uint64_t exponent) {
    Word power = kOne;
    for (; exponent != 0; exponent >>= 1) {
      if ((exponent & 1) != 0) power = Multiply(power, base);
      base = Multiply(base, base);
    }
    return power;
  }

  static constexpr Word PowerOfX(uint64_t exponent) { return Power(kX, exponent); }

  // The finished CRC of A followed by B, from theirs and the length of B. The ones that a CRC
  // begins with and is inverted with at its end cancel out.
  static constexpr Word Combine(Word a, Word b, uint64_t b_bytes) {
    return Multiply(a, Power(PowerOfX(8), b_bytes)) ^ b;
  }
};

using Crc32cPolynomial = CrcPolynomial<uint32_t, 0x82f63b78u>;             // RFC 3720
using Crc32Polynomial = CrcPolynomial<uint32_t, 0xedb88320u>;              // RFC 1952
using Crc64NvmePolynomial = CrcPolynomial<uint64_t, 0x9a6c9329ac4bc9b5u>;  // NVM Command Set

}  // namespace smtf

#endif  // SMTF_CHECKSUM_CRC_POLYNOMIAL_H_
