#include "protobuf/number_tensor.h"

#include <gtest/gtest.h>

#include <limits>

#include "protobuf/messages.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

template <typename Number>
std::vector<Number> Values(const NumberTensor& tensor) {
  std::vector<Number> values(tensor.values());
  tensor.CopyValues(values.data());
  return values;
}

std::vector<uint64_t> Keys(const NumberTensor& tensor) {
  std::vector<uint64_t> keys(tensor.keys());
  tensor.CopyKeys(keys.data());
  return keys;
}

uint64_t Stored(int64_t number) { return static_cast<uint64_t>(number); }

TEST(NumberTensor, PackedNumbersOfEveryKind) {
  const std::string floats = Field(1, Fixed<float>({1, -0.5, 1e-40f}));
  EXPECT_EQ(Values<float>({TensorKind::kFloat32, floats}), (std::vector<float>{1, -0.5, 1e-40f}));
  const std::string doubles = Field(1, Fixed<double>({1.0 / 3, -2}));
  EXPECT_EQ(Values<double>({TensorKind::kFloat64, doubles}), (std::vector<double>{1.0 / 3, -2}));
  const std::string ints =
      Field(1, Varints({0, 127, 128, Stored(-1), Stored(std::numeric_limits<int32_t>::min())}));
  EXPECT_EQ(Values<int32_t>({TensorKind::kInt32, ints}),
            (std::vector<int32_t>{0, 127, 128, -1, std::numeric_limits<int32_t>::min()}));
}

TEST(NumberTensor, NumbersOneByOneAndInPieces) {
  const std::string floats = Tag(1, 5) + Fixed<float>({1}) + Field(1, Fixed<float>({2, 3})) +
                             Field(1, "") + Tag(1, 5) + Fixed<float>({4});
  EXPECT_EQ(Values<float>({TensorKind::kFloat32, floats}), (std::vector<float>{1, 2, 3, 4}));
  const std::string doubles = Tag(1, 1) + Fixed<double>({1}) + Field(1, Fixed<double>({2}));
  EXPECT_EQ(Values<double>({TensorKind::kFloat64, doubles}), (std::vector<double>{1, 2}));
  const std::string ints = Tag(1, 0) + Varint(7) + Field(1, Varints({300, 8})) + Tag(1, 0) + "\x01";
  EXPECT_EQ(Values<int32_t>({TensorKind::kInt32, ints}), (std::vector<int32_t>{7, 300, 8, 1}));
}

TEST(NumberTensor, KeysAndShapeInAnyOrder) {
  const uint64_t largest = std::numeric_limits<uint64_t>::max();
  const std::string bytes = Field(3, Varints({3})) + Field(2, Varints({largest, 0})) +
                            Field(1, Fixed<float>({1})) + Tag(3, 0) + Varint(400) + Field(9, "?") +
                            Tag(2, 0) + Varint(5);
  const NumberTensor tensor(TensorKind::kFloat32, bytes);
  EXPECT_EQ(tensor.values(), 1u);
  EXPECT_EQ(Keys(tensor), (std::vector<uint64_t>{largest, 0, 5}));
  EXPECT_EQ(tensor.Shape(), (std::vector<uint64_t>{3, 400}));
  EXPECT_EQ(tensor.shape_size(), 1200u);
}

TEST(NumberTensor, SizesOfShapes) {
  const auto size = [](const std::vector<uint64_t>& shape) {
    return NumberTensor(TensorKind::kInt32, Field(3, Varints(shape))).shape_size();
  };
  const uint64_t large = uint64_t{1} << 40;
  EXPECT_EQ(size({}), std::nullopt);
  EXPECT_EQ(size({0}), 0u);
  EXPECT_EQ(size({large, large}), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(size({large, large, 0}), 0u);
  EXPECT_EQ(size({large, 2}), large * 2);
}

TEST(NumberTensor, FieldsOfAnotherTypeCountNothing) {
  const std::string bytes = Tag(1, 0) + "\x01" + Tag(1, 1) + "12345678" + Tag(2, 5) + "1234";
  const NumberTensor tensor(TensorKind::kFloat32, bytes);
  EXPECT_EQ(tensor.values(), 0u);
  EXPECT_EQ(tensor.keys(), 0u);
  EXPECT_TRUE(Values<float>(tensor).empty());
  EXPECT_EQ(NumberTensor(TensorKind::kInt32, Tag(1, 5) + "1234").values(), 0u);
}

TEST(NumberTensor, WhatIsNoTensor) {
  EXPECT_THROW(NumberTensor(TensorKind::kFloat32, Field(1, "abc")), WireError);
  EXPECT_THROW(NumberTensor(TensorKind::kFloat64, Field(1, "abcd")), WireError);
  EXPECT_THROW(NumberTensor(TensorKind::kInt32, Field(1, "\x80")), WireError);
  EXPECT_THROW(NumberTensor(TensorKind::kInt32, Field(2, "a\xff")), WireError);
  EXPECT_THROW(NumberTensor(TensorKind::kInt32, Field(3, "\x80")), WireError);
  EXPECT_THROW(NumberTensor(TensorKind::kInt32, "text"), WireError);
  const std::string endless = Field(1, std::string(10, '\xff') + "\x01");
  const NumberTensor one(TensorKind::kInt32, endless);
  int32_t value = 0;
  EXPECT_EQ(one.values(), 1u);
  EXPECT_THROW(one.CopyValues(&value), WireError);
}

}  // namespace
}  // namespace smtf
