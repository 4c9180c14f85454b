// CRCs by carry-less multiplication: a long run of bytes is folded into 16 that have the same CRC.
// "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009. The
// constants come from the polynomial, so it does for every reflected CRC of up to 64 bits.
#ifndef SMTF_CHECKSUM_CRC_FOLDING_X86_H_
#define SMTF_CHECKSUM_CRC_FOLDING_X86_H_
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#define SMTF_TARGET_PCLMUL __attribute__((target("sse4.2,pclmul")))
#define SMTF_TARGET_AVX512 \
  __attribute__((target("sse4.2,pclmul,avx,avx2,avx512f,avx512vl,vpclmulqdq")))

namespace smtf {

inline bool HasPclmul() {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

inline bool HasAvx512Clmul() {
  return HasPclmul() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("vpclmulqdq");
}

// The factors that move a 128-bit lane onto one that lies `bytes` behind it, for the lane's low and
// high half. The low half holds the higher powers of x. They are aligned to the top of 64 bits,
// whatever the width of the CRC. The product of two reflected 64-bit words is one bit short of 128,
// which is the x that is missing from the exponents.
template <typename Polynomial>
struct FoldingDistance {
  static constexpr uint64_t Aligned(typename Polynomial::Word power) {
    return uint64_t{power} << (64 - Polynomial::kWidth);
  }
  static constexpr uint64_t Low(size_t bytes) {
    return Aligned(Polynomial::PowerOfX(8 * bytes + 63));
  }
  static constexpr uint64_t High(size_t bytes) {
    return Aligned(Polynomial::PowerOfX(8 * bytes - 1));
  }
};

// ---- 128 bits: any x86 CPU of the last ten years. ----

template <typename Polynomial>
class PclmulFolding {
 public:
  static constexpr size_t kLeast = 128;  // bytes
  static constexpr size_t kBlock = 16;

  // 16 bytes that advance a zero state as `data` advances `state`. `size` is a multiple of kBlock,
  // at least kLeast.
  SMTF_TARGET_PCLMUL static __m128i Fold(uint64_t state, const char* data, size_t size) {
    // Eight lanes abreast hide the latency of the multiplication.
    __m128i lanes[8];
    for (int i = 0; i < 8; ++i) lanes[i] = Load(data + 16 * i);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi64_si128(static_cast<int64_t>(state)));
    size_t at = 128;
    const __m128i by128 = Distance<128>();
    for (; at + 128 <= size; at += 128) {
      for (int i = 0; i < 8; ++i) lanes[i] = Move(lanes[i], by128, Load(data + at + 16 * i));
    }
    for (int i = 0; i < 4; ++i) lanes[4 + i] = Move(lanes[i], Distance<64>(), lanes[4 + i]);
    for (int i = 4; i < 6; ++i) lanes[2 + i] = Move(lanes[i], Distance<32>(), lanes[2 + i]);
    __m128i lane = Move(lanes[6], Distance<16>(), lanes[7]);
    for (; at < size; at += 16) lane = Move(lane, Distance<16>(), Load(data + at));
    return lane;
  }

 private:
  SMTF_TARGET_PCLMUL static inline __m128i Load(const char* data) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
  }

  template <size_t kBytes>
  SMTF_TARGET_PCLMUL static inline __m128i Distance() {
    constexpr uint64_t kLow = FoldingDistance<Polynomial>::Low(kBytes);
    constexpr uint64_t kHigh = FoldingDistance<Polynomial>::High(kBytes);
    return _mm_set_epi64x(static_cast<int64_t>(kHigh), static_cast<int64_t>(kLow));
  }

  SMTF_TARGET_PCLMUL static inline __m128i Move(__m128i from, __m128i distance, __m128i onto) {
    const __m128i moved = _mm_xor_si128(_mm_clmulepi64_si128(from, distance, 0x00),
                                        _mm_clmulepi64_si128(from, distance, 0x11));
    return _mm_xor_si128(moved, onto);
  }
};

// ---- 512 bits: four lanes in a block. ----

template <typename Polynomial>
class Avx512Folding {
 public:
  static constexpr size_t kLeast = 128;  // below two blocks the end costs more than folding saves
  static constexpr size_t kBlock = 64;

  // As PclmulFolding's.
  SMTF_TARGET_AVX512 static __m128i Fold(uint64_t state, const char* data, size_t size) {
    const __m128i carried = _mm_cvtsi64_si128(static_cast<int64_t>(state));
    __m512i block = _mm512_xor_si512(Load(data), _mm512_zextsi128_si512(carried));
    size_t at = 64;
    if (size >= 256) {
      at = size & ~size_t{255};
      block = FoldAbreast(block, data, at);
    }
    const __m512i by64 = Distance<64>();
    for (; at < size; at += 64) block = Move(block, by64, Load(data + at));
    return JoinLanes(block);
  }

 private:
  using To = FoldingDistance<Polynomial>;

  SMTF_TARGET_AVX512 static inline __m512i Load(const char* data) {
    return _mm512_loadu_si512(data);
  }

  // The same distance for all four lanes.
  template <size_t kBytes>
  SMTF_TARGET_AVX512 static inline __m512i Distance() {
    constexpr uint64_t kLow = To::Low(kBytes), kHigh = To::High(kBytes);
    return _mm512_set_epi64(kHigh, kLow, kHigh, kLow, kHigh, kLow, kHigh, kLow);
  }

  SMTF_TARGET_AVX512 static inline __m512i Move(__m512i from, __m512i distance, __m512i onto) {
    constexpr int kXorOfThree = 0x96;
    return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(from, distance, 0x00),
                                     _mm512_clmulepi64_epi128(from, distance, 0x11), onto,
                                     kXorOfThree);
  }

  // Four blocks abreast hide the latency of the multiplication. `size` is a multiple of 256, not 0.
  // Returns the block that stands for all of them; `first` stands for the first 64 bytes.
  SMTF_TARGET_AVX512 static inline __m512i FoldAbreast(__m512i first, const char* data,
                                                       size_t size) {
    __m512i a = first;
    __m512i b = Load(data + 64);
    __m512i c = Load(data + 128);
    __m512i d = Load(data + 192);
    const __m512i by256 = Distance<256>();
    for (size_t at = 256; at < size; at += 256) {
      a = Move(a, by256, Load(data + at));
      b = Move(b, by256, Load(data + at + 64));
      c = Move(c, by256, Load(data + at + 128));
      d = Move(d, by256, Load(data + at + 192));
    }
    const __m512i by128 = Distance<128>();
    return Move(Move(a, by128, c), Distance<64>(), Move(b, by128, d));
  }

  // The zero-masked form, because the plain one makes g++ 12 warn of its own header (GCC bug
  // 105593).
  template <int kIndex>
  SMTF_TARGET_AVX512 static inline __m128i Lane(__m512i block) {
    return _mm512_maskz_extracti32x4_epi32(0xf, block, kIndex);
  }

  // The first three lanes move onto the last, which stays where it is.
  SMTF_TARGET_AVX512 static inline __m128i JoinLanes(__m512i block) {
    constexpr uint64_t kLow48 = To::Low(48), kHigh48 = To::High(48);
    constexpr uint64_t kLow32 = To::Low(32), kHigh32 = To::High(32);
    constexpr uint64_t kLow16 = To::Low(16), kHigh16 = To::High(16);
    const __m512i distances =
        _mm512_set_epi64(0, 0, kHigh16, kLow16, kHigh32, kLow32, kHigh48, kLow48);
    const __m512i moved = _mm512_xor_si512(_mm512_clmulepi64_epi128(block, distances, 0x00),
                                           _mm512_clmulepi64_epi128(block, distances, 0x11));
    return _mm_xor_si128(_mm_xor_si128(Lane<0>(moved), Lane<1>(moved)),
                         _mm_xor_si128(Lane<2>(moved), Lane<3>(block)));
  }
};

}  // namespace smtf

#endif  // defined(__x86_64__)
#endif  // SMTF_CHECKSUM_CRC_FOLDING_X86_H_
