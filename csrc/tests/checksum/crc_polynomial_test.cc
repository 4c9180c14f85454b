#include "checksum/crc_polynomial.h"

#include <gtest/gtest.h>

namespace smtf {
namespace {

template <typename Polynomial>
class CrcPolynomialTest : public testing::Test {};

using Polynomials = testing::Types<Crc32cPolynomial, Crc32Polynomial, Crc64NvmePolynomial>;
TYPED_TEST_SUITE(CrcPolynomialTest, Polynomials);

TYPED_TEST(CrcPolynomialTest, OneIsNeutral) {
  const auto value = static_cast<typename TypeParam::Word>(0x123456789abcdef1u);
  EXPECT_EQ(TypeParam::Multiply(value, TypeParam::kOne), value);
  EXPECT_EQ(TypeParam::Multiply(TypeParam::kOne, value), value);
  EXPECT_EQ(TypeParam::Power(value, 0), TypeParam::kOne);
}

TYPED_TEST(CrcPolynomialTest, PowersOfXAreRepeatedSteps) {
  auto power = TypeParam::kOne;
  for (unsigned exponent = 0; exponent < 1000; ++exponent) {
    ASSERT_EQ(TypeParam::PowerOfX(exponent), power) << exponent;
    power = TypeParam::TimesX(power);
  }
}

TYPED_TEST(CrcPolynomialTest, ExponentsAdd) {
  for (const uint64_t a : {uint64_t{77}, uint64_t{1} << 40, (uint64_t{1} << 62) + 12345}) {
    const uint64_t b = a / 3 + 1;
    EXPECT_EQ(TypeParam::Multiply(TypeParam::PowerOfX(a), TypeParam::PowerOfX(b)),
              TypeParam::PowerOfX(a + b));
  }
}

}  // namespace
}  // namespace smtf
