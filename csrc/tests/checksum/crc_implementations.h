// What every implementation of a CRC must do, for the tests of each CRC.
#ifndef SMTF_TESTS_CHECKSUM_CRC_IMPLEMENTATIONS_H_
#define SMTF_TESTS_CHECKSUM_CRC_IMPLEMENTATIONS_H_

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>

#include "checksum/crc_implementation.h"
#include "framing/test_sources.h"

namespace smtf {

// From the definition, a bit at a time.
template <typename Word>
Word CrcByBits(Word reflected_polynomial, Word crc, std::string_view data) {
  Word state = static_cast<Word>(~crc);
  for (const char byte : data) {
    state ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      state = (state >> 1) ^ ((state & 1) != 0 ? reflected_polynomial : 0);
    }
  }
  return static_cast<Word>(~state);
}

// Every length through each of the block sizes, at many alignments and from many CRCs.
template <typename Word>
void ExpectSame(const CrcImplementation<Word>& tried, const CrcImplementation<Word>& portable) {
  const std::string data = RandomBytes(20000, 7);
  const auto same = [&](size_t offset, size_t size) {
    const Word crc = static_cast<Word>(size * 0x9e3779b97f4a7c15u);
    return tried.extend(crc, data.data() + offset, size) ==
           portable.extend(crc, data.data() + offset, size);
  };
  for (size_t size = 0; size <= 1100; ++size) {
    for (const size_t offset : {size_t{0}, size_t{1}, size_t{8}, size_t{13}, size % 67}) {
      ASSERT_TRUE(same(offset, size)) << size << " bytes at " << offset;
    }
  }
  for (size_t size = 1100; size < 16000; size += 61) ASSERT_TRUE(same(size % 67, size)) << size;
}

// For INSTANTIATE_TEST_SUITE_P.
template <typename Info>
std::string ImplementationName(const Info& info) {
  std::string name = info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

}  // namespace smtf

#endif  // SMTF_TESTS_CHECKSUM_CRC_IMPLEMENTATIONS_H_
