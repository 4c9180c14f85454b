#include "protobuf/tensor_rows.h"

#include <gtest/gtest.h>

#include <functional>

#include "errors.h"
#include "protobuf/messages.h"

namespace smtf {
namespace {

TensorRequest Request(std::vector<int64_t> shape, TensorKind kind = TensorKind::kFloat32) {
  TensorRequest request;
  request.name = "x";
  request.kind = kind;
  request.shape = std::move(shape);
  return request;
}

TensorMessage Message(std::string_view value) {
  TensorMessage message;
  message.Begin();
  message.Merge(value);
  return message;
}

std::vector<float> Dense(const TensorRequest& request, const std::string& value) {
  std::vector<float> row(request.size(), -1);
  FillDenseRow(request, Message(value), row.data());
  return row;
}

struct Sparse {
  std::vector<int64_t> indices;
  std::vector<float> values;
};

Sparse SparseOf(const TensorRequest& request, const std::string& value) {
  const TensorMessage message = Message(value);
  const size_t count = CountSparseValues(request, message);
  Sparse sparse;
  sparse.indices.resize(count * (1 + request.shape.size()));
  sparse.values.resize(count);
  std::vector<uint64_t> keys = {99};  // of the record before
  FillSparseRow(request, message, 7, sparse.indices.data(), sparse.values.data(), &keys);
  return sparse;
}

std::string ErrorOf(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

TEST(TensorRows, DenseValuesInCOrder) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Dense(Request({2, 3}), Floats(values)), values);
  EXPECT_EQ(Dense(Request({2, 3}), Floats(values, {}, {6})), values);
  EXPECT_EQ(Dense(Request({}), Floats({9})), std::vector<float>{9});
  EXPECT_EQ(Dense(Request({0}), Floats({})), std::vector<float>{});
}

TEST(TensorRows, DenseOfASparseTensorHasZerosBetween) {
  EXPECT_EQ(Dense(Request({4}), Floats({1, 2}, {3, 1})), (std::vector<float>{0, 2, 0, 1}));
  EXPECT_EQ(Dense(Request({3}), Floats({}, {}, {3})), (std::vector<float>{0, 0, 0}));
}

TEST(TensorRows, SparseIndicesAscend) {
  const Sparse one = SparseOf(Request({10}), Floats({1, 2, 3}, {0, 4, 9}, {10}));
  EXPECT_EQ(one.indices, (std::vector<int64_t>{7, 0, 7, 4, 7, 9}));
  EXPECT_EQ(one.values, (std::vector<float>{1, 2, 3}));
  const Sparse two = SparseOf(Request({2, 5}), Floats({1, 2, 3}, {9, 0, 4}));
  EXPECT_EQ(two.indices, (std::vector<int64_t>{7, 0, 0, 7, 0, 4, 7, 1, 4}));
  EXPECT_EQ(two.values, (std::vector<float>{2, 3, 1}));
  EXPECT_TRUE(SparseOf(Request({10}), Floats({}, {}, {10})).values.empty());
  EXPECT_TRUE(SparseOf(Request({10}), Floats({})).values.empty());
}

TEST(TensorRows, TheOtherTypes) {
  const std::string doubles = Field(3, Field(1, Fixed<double>({0.5, 2})));
  double row[2];
  FillDenseRow(Request({2}, TensorKind::kFloat64), Message(doubles), row);
  EXPECT_EQ(row[0], 0.5);
  const std::string ints = Field(7, Field(1, Varints({5, 6})) + Field(2, Varints({1, 0})));
  int32_t numbers[2];
  FillDenseRow(Request({2}, TensorKind::kInt32), Message(ints), numbers);
  EXPECT_EQ(numbers[0], 6);
  EXPECT_EQ(numbers[1], 5);
}

TEST(TensorRows, ErrorsSayWhatWasAskedForAndSeen) {
  const TensorRequest request = Request({2, 2});
  const auto dense = [&](const std::string& value) {
    return ErrorOf([&] { Dense(request, value); });
  };
  const auto sparse = [&](const std::string& value) {
    return ErrorOf([&] { SparseOf(request, value); });
  };
  EXPECT_EQ(dense(Floats({1, 2, 3})), "feature 'x' has 3 values; shape [2, 2] takes 4");
  EXPECT_EQ(dense(Floats({1, 2, 3, 4}, {}, {5})),
            "feature 'x' has shape [5]; [2, 2] was asked for");
  EXPECT_EQ(sparse(Floats({1}, {0}, {5})), "feature 'x' has shape [5]; [2, 2] was asked for");
  EXPECT_EQ(sparse(Floats({1, 2}, {0})), "feature 'x' has 1 keys and 2 values");
  EXPECT_EQ(dense(Floats({}, {0})), "feature 'x' has 1 keys and 0 values");
  for (const auto& error : {dense(Floats({1, 2}, {4, 0})), sparse(Floats({1, 2}, {0, 4}))}) {
    EXPECT_EQ(error, "feature 'x' has the key 4; shape [2, 2] takes keys below 4");
  }
  EXPECT_EQ(sparse(Floats({1, 2, 3}, {3, 0, 3})), "feature 'x' has the key 3 twice");
  EXPECT_EQ(sparse(Floats({1})),
            "feature 'x' has 1 values without keys: a dense tensor; ask for it with a "
            "tf.TensorSpec");
  EXPECT_EQ(dense(Field(2, Field(1, "abc"))),
            "feature 'x' is no float32 tensor: 3 bytes of values of 4 bytes each");
}

TEST(TensorRows, CheckKind) {
  TensorRequest label = Request({});
  label.map = RecordMap::kLabel;
  EXPECT_EQ(ErrorOf([&] { CheckKind(label, TensorMessage(), Entry(1, "x", Floats({1}))); }),
            "no label 'x'; the record has features 'x'; no labels");
  EXPECT_EQ(ErrorOf([&] { CheckKind(label, Message(Field(9, "")), ""); }),
            "label 'x' holds bytes; float32 was asked for");
  EXPECT_NO_THROW(CheckKind(label, Message(Floats({1})), ""));
}

}  // namespace
}  // namespace smtf
