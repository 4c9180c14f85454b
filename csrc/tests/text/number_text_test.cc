#include "text/number_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>

namespace smtf {
namespace {

template <typename Number>
std::string TextOf(Number value) {
  char text[kMostNumberChars];
  return {text, WriteNumber(value, text)};
}

TEST(NumberText, FloatsHaveTheDigitsOfTheirType) {
  EXPECT_EQ(TextOf(0.1f), "0.1");
  EXPECT_EQ(TextOf(0.1), "0.1");
  EXPECT_EQ(TextOf(double{0.1f}), "0.10000000149011612");
  EXPECT_EQ(TextOf(1.0f / 3), "0.33333334");
  EXPECT_EQ(TextOf(7.531536e29f), "7.531536e+29");
  EXPECT_EQ(TextOf(1e-45f), "1e-45");
  EXPECT_EQ(TextOf(3.4028235e38f), "3.4028235e+38");
  EXPECT_EQ(TextOf(-1.2345678901234567e-308), "-1.2345678901234567e-308");
}

TEST(NumberText, WholeFloatsKeepTheirPoint) {
  EXPECT_EQ(TextOf(0.0f), "0.0");
  EXPECT_EQ(TextOf(-0.0f), "-0.0");
  EXPECT_EQ(TextOf(3.0f), "3.0");
  EXPECT_EQ(TextOf(-1200.0f), "-1200.0");
  EXPECT_EQ(TextOf(16777216.0f), "16777216.0");
  EXPECT_EQ(TextOf(12.5f), "12.5");
}

TEST(NumberText, ExponentsBeginWhereThoseOfReprDo) {
  EXPECT_EQ(TextOf(0.0001), "0.0001");
  EXPECT_EQ(TextOf(0.00012), "0.00012");
  EXPECT_EQ(TextOf(0.00001), "1e-05");
  EXPECT_EQ(TextOf(1.5e-5), "1.5e-05");
  EXPECT_EQ(TextOf(1234567890123456.0), "1234567890123456.0");
  EXPECT_EQ(TextOf(1e15), "1000000000000000.0");
  EXPECT_EQ(TextOf(1e16), "1e+16");
  EXPECT_EQ(TextOf(1.25e100), "1.25e+100");
}

TEST(NumberText, WhatIsNoNumber) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(TextOf(infinity), "Infinity");
  EXPECT_EQ(TextOf(-infinity), "-Infinity");
  EXPECT_EQ(TextOf(std::nan("")), "NaN");
  EXPECT_EQ(TextOf(-std::nan("")), "NaN");
}

TEST(NumberText, Integers) {
  EXPECT_EQ(TextOf(std::numeric_limits<int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(TextOf(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
}

template <typename Float, typename Bits>
void ExpectThatTextReadsBack(uint64_t seed) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200000; ++i) {
    const Bits bits = static_cast<Bits>(random());
    Float value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = TextOf(value);
    ASSERT_LE(text.size(), kMostNumberChars);
    const Float back = sizeof(Float) == 4 ? static_cast<Float>(std::strtof(text.c_str(), nullptr))
                                          : static_cast<Float>(std::strtod(text.c_str(), nullptr));
    ASSERT_EQ(std::memcmp(&back, &value, sizeof value), 0) << text;
  }
}

TEST(NumberText, ReadsBack) {
  ExpectThatTextReadsBack<float, uint32_t>(1);
  ExpectThatTextReadsBack<double, uint64_t>(2);
}

TEST(NumberText, DoublesOfTheSameText) {
  EXPECT_EQ(DoubleOfSameText(0.1f), 0.1);
  EXPECT_EQ(DoubleOfSameText(-7.531536e29f), -7.531536e29);
  EXPECT_EQ(DoubleOfSameText(1e-45f), 1e-45);
  EXPECT_TRUE(std::isnan(DoubleOfSameText(std::nanf(""))));
  EXPECT_TRUE(std::signbit(DoubleOfSameText(-0.0f)));
}

}  // namespace
}  // namespace smtf
