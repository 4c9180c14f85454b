#include "text/number_rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace smtf {
namespace {

TEST(NumberRows, ARowForEachEntry) {
  const std::vector<float> values = {0.5f, 1, 2, -3};
  EXPECT_EQ(NumberRows({{"", NumberType::kFloat32, values.data(), {2}}}, 2, "\n", true),
            "[0.5,1.0]\n[2.0,-3.0]\n");
  EXPECT_EQ(NumberRows({{"", NumberType::kFloat32, values.data(), {2}}}, 2, "\n", false),
            "0.5,1.0\n2.0,-3.0\n");
  EXPECT_EQ(NumberRows({{"", NumberType::kFloat32, values.data(), {}}}, 4, ",", true),
            "0.5,1.0,2.0,-3.0,");
  EXPECT_EQ(NumberRows({{"", NumberType::kFloat32, values.data(), {}}}, 0, ",", true), "");
}

TEST(NumberRows, DimensionsAreInBrackets) {
  const std::vector<int32_t> values = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(NumberRows({{"", NumberType::kInt32, values.data(), {2, 2}}}, 2, ";", true),
            "[[0,1],[2,3]];[[4,5],[6,7]];");
  EXPECT_EQ(NumberRows({{"", NumberType::kInt32, values.data(), {0, 3}}}, 2, ";", true), "[];[];");
  EXPECT_EQ(NumberRows({{"", NumberType::kInt32, values.data(), {2, 0}}}, 1, ";", true),
            "[[],[]];");
}

TEST(NumberRows, ColumnsStandSideBySide) {
  const std::vector<double> scores = {0.1, 0.2};
  const std::vector<int64_t> classes = {7, -1};
  const bool good[] = {true, false};
  EXPECT_EQ(NumberRows({{"{\"score\":", NumberType::kFloat64, scores.data(), {}},
                        {",\"class\":", NumberType::kInt64, classes.data(), {}},
                        {",\"ok\":", NumberType::kBool, good, {}}},
                       2, "}\n", true),
            "{\"score\":0.1,\"class\":7,\"ok\":true}\n{\"score\":0.2,\"class\":-1,\"ok\":false}\n");
}

template <typename Number>
std::string Extremes(NumberType type) {
  const Number values[] = {std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max()};
  return NumberRows({{"", type, values, {}}}, 2, " ", true);
}

TEST(NumberRows, IntegersOfAllSizes) {
  EXPECT_EQ(Extremes<int8_t>(NumberType::kInt8), "-128 127 ");
  EXPECT_EQ(Extremes<int16_t>(NumberType::kInt16), "-32768 32767 ");
  EXPECT_EQ(Extremes<int32_t>(NumberType::kInt32), "-2147483648 2147483647 ");
  EXPECT_EQ(Extremes<int64_t>(NumberType::kInt64), "-9223372036854775808 9223372036854775807 ");
  EXPECT_EQ(Extremes<uint8_t>(NumberType::kUint8), "0 255 ");
  EXPECT_EQ(Extremes<uint16_t>(NumberType::kUint16), "0 65535 ");
  EXPECT_EQ(Extremes<uint32_t>(NumberType::kUint32), "0 4294967295 ");
  EXPECT_EQ(Extremes<uint64_t>(NumberType::kUint64), "0 18446744073709551615 ");
}

}  // namespace
}  // namespace smtf
