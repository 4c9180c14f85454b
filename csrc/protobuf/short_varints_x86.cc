#if defined(__x86_64__)

#include "protobuf/short_varints_x86.h"

#include <immintrin.h>

#include <array>
#include <cstddef>

#include "protobuf/short_varints.h"

#define SMTF_TARGET_AVX2 __attribute__((target("avx2,popcnt")))

namespace smtf {
namespace {

constexpr size_t kStep = 16;

struct alignas(16) Shuffle {
  uint8_t from[16];
};

// For each set of eight lanes of 16 bits, the shuffle that puts them side by side.
constexpr std::array<Shuffle, 256> MakeShuffles() {
  std::array<Shuffle, 256> shuffles{};
  for (unsigned lanes = 0; lanes < 256; ++lanes) {
    unsigned to = 0;
    for (unsigned lane = 0; lane < 8; ++lane) {
      if ((lanes >> lane & 1) == 0) continue;
      shuffles[lanes].from[to++] = static_cast<uint8_t>(2 * lane);
      shuffles[lanes].from[to++] = static_cast<uint8_t>(2 * lane + 1);
    }
  }
  return shuffles;
}

constexpr std::array<Shuffle, 256> kShuffles = MakeShuffles();

SMTF_TARGET_AVX2 inline __m128i ShuffleOf(unsigned lanes) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(kShuffles[lanes].from));
}

SMTF_TARGET_AVX2 inline __m128i Load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// For each of 16 bytes, the number that it would end.
SMTF_TARGET_AVX2 inline __m256i NumbersAt(__m128i bytes, __m128i bytes_before) {
  const __m256i high = _mm256_cvtepu8_epi16(bytes);
  const __m256i low = _mm256_cvtepu8_epi16(bytes_before);
  const __m256i has_low = _mm256_cmpgt_epi16(low, _mm256_set1_epi16(127));
  const __m256i both =
      _mm256_or_si256(_mm256_slli_epi16(high, 7), _mm256_and_si256(low, _mm256_set1_epi16(127)));
  return _mm256_blendv_epi8(high, both, has_low);
}

// Each writes eight numbers.
SMTF_TARGET_AVX2 inline void Store(__m128i numbers, int32_t* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtepu16_epi32(numbers));
}
SMTF_TARGET_AVX2 inline void Store(__m128i numbers, uint64_t* to) {
  __m256i* const four = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(four, _mm256_cvtepu16_epi64(numbers));
  _mm256_storeu_si256(four + 1, _mm256_cvtepu16_epi64(_mm_srli_si128(numbers, 8)));
}

// Those of the sixteen numbers that `ends` has a bit for.
template <typename Number>
SMTF_TARGET_AVX2 inline Number* Append(__m256i numbers, unsigned ends, Number* to) {
  const unsigned first = ends & 0xff;
  const unsigned second = ends >> 8 & 0xff;
  const __m256i shuffle =
      _mm256_inserti128_si256(_mm256_castsi128_si256(ShuffleOf(first)), ShuffleOf(second), 1);
  const __m256i side_by_side = _mm256_shuffle_epi8(numbers, shuffle);
  Store(_mm256_castsi256_si128(side_by_side), to);
  to += _mm_popcnt_u32(first);
  Store(_mm256_extracti128_si256(side_by_side, 1), to);
  return to + _mm_popcnt_u32(second);
}

template <typename Number>
SMTF_TARGET_AVX2 inline Number* Take(const char* block, char before, uint64_t ends, Number* to) {
  const __m128i begin = Load(block);
  const __m128i bytes_before = _mm_insert_epi8(_mm_slli_si128(begin, 1), before, 0);
  to = Append(NumbersAt(begin, bytes_before), static_cast<unsigned>(ends), to);
  for (size_t at = kStep; at < kVarintBlock; at += kStep) {
    const __m256i numbers = NumbersAt(Load(block + at), Load(block + at - 1));
    to = Append(numbers, static_cast<unsigned>(ends >> at), to);
  }
  return to;
}

}  // namespace

bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt"); }

SMTF_TARGET_AVX2 int32_t* TakeShortVarintsAvx2(const char* block, char before, uint64_t ends,
                                               int32_t* to) {
  return Take(block, before, ends, to);
}
SMTF_TARGET_AVX2 uint64_t* TakeShortVarintsAvx2(const char* block, char before, uint64_t ends,
                                                uint64_t* to) {
  return Take(block, before, ends, to);
}

}  // namespace smtf

#endif  // defined(__x86_64__)
