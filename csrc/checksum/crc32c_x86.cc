#if defined(__x86_64__)

#include <immintrin.h>

#include "checksum/crc32c_implementations.h"
#include "checksum/crc_folding_x86.h"
#include "checksum/crc_polynomial.h"
#include "framing/little_endian.h"

namespace smtf::crc32c {
namespace {

// 8 bytes every 3 cycles.
SMTF_TARGET_PCLMUL inline uint32_t OneStream(uint32_t state, const char* data, size_t size) {
  uint64_t wide = state;
  for (; size >= 8; data += 8, size -= 8) wide = _mm_crc32_u64(wide, LoadLE64(data));
  state = static_cast<uint32_t>(wide);
  if ((size & 4) != 0) {
    state = _mm_crc32_u32(state, LoadLE32(data));
    data += 4;
  }
  for (size &= 3; size > 0; ++data, --size) {
    state = _mm_crc32_u8(state, static_cast<unsigned char>(*data));
  }
  return state;
}

// A factor that Shift() takes to mean "append `bytes` zero bytes". The product of two reflected
// 32-bit polynomials is one bit short of a 64-bit word, and the crc32 instruction multiplies by
// x^32: together x^33, which the factor leaves out.
constexpr uint32_t ShiftFactor(size_t bytes) { return Crc32cPolynomial::PowerOfX(8 * bytes - 33); }

SMTF_TARGET_PCLMUL inline uint64_t Multiply(uint32_t state, uint32_t factor) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128(static_cast<int>(state)),
                                               _mm_cvtsi32_si128(static_cast<int>(factor)), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

// The state after three neighbouring blocks of kBytes each: 8 bytes every cycle.
template <size_t kBytes>
SMTF_TARGET_PCLMUL inline uint32_t ThreeStreams(uint32_t state, const char* data) {
  uint64_t a = state;
  uint64_t b = 0;
  uint64_t c = 0;
  for (size_t i = 0; i < kBytes; i += 8) {
    a = _mm_crc32_u64(a, LoadLE64(data + i));
    b = _mm_crc32_u64(b, LoadLE64(data + kBytes + i));
    c = _mm_crc32_u64(c, LoadLE64(data + 2 * kBytes + i));
  }
  constexpr uint32_t kShiftA = ShiftFactor(2 * kBytes);
  constexpr uint32_t kShiftB = ShiftFactor(kBytes);
  const uint64_t joined =
      Multiply(static_cast<uint32_t>(a), kShiftA) ^ Multiply(static_cast<uint32_t>(b), kShiftB);
  return static_cast<uint32_t>(c ^ _mm_crc32_u64(0, joined));
}

}  // namespace

bool HasSse42() { return HasPclmul(); }

SMTF_TARGET_PCLMUL uint32_t ExtendSse42(uint32_t crc, const char* data, size_t size) {
  uint32_t state = ~crc;
  // Long blocks make the joins rare, short ones keep what is left for a single stream small.
  for (; size >= 3 * 1024; data += 3 * 1024, size -= 3 * 1024) {
    state = ThreeStreams<1024>(state, data);
  }
  for (; size >= 3 * 128; data += 3 * 128, size -= 3 * 128) {
    state = ThreeStreams<128>(state, data);
  }
  return ~OneStream(state, data, size);
}

bool HasAvx512() { return HasAvx512Clmul(); }

SMTF_TARGET_AVX512 uint32_t ExtendAvx512(uint32_t crc, const char* data, size_t size) {
  using Folding = Avx512Folding<Crc32cPolynomial>;
  uint32_t state = ~crc;
  if (size < Folding::kLeast) return ~OneStream(state, data, size);
  const size_t whole = size - size % Folding::kBlock;
  const __m128i folded = Folding::Fold(state, data, whole);
  uint64_t wide = _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(folded)));
  wide = _mm_crc32_u64(wide, static_cast<uint64_t>(_mm_extract_epi64(folded, 1)));
  return ~OneStream(static_cast<uint32_t>(wide), data + whole, size - whole);
}

}  // namespace smtf::crc32c

#endif  // defined(__x86_64__)
