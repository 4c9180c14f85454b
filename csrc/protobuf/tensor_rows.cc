#include "protobuf/tensor_rows.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "errors.h"
#include "protobuf/number_tensor.h"
#include "protobuf/wire_reader.h"

namespace smtf {
namespace {

[[noreturn]] void Fail(const TensorRequest& request, const std::string& what) {
  throw Error(ErrorKind::kInvalidArgument, request.Describe() + " " + what);
}

// Calls `body` with the tensor. Bytes that are none say so without knowing whose they are.
template <typename Body>
auto WithTensor(const TensorRequest& request, const TensorMessage& message, const Body& body) {
  try {
    return body(NumberTensor(message.kind(), message.bytes()));
  } catch (const WireError& error) {
    Fail(request,
         std::string("is no ") + TensorKindName(request.kind) + " tensor: " + error.what());
  }
}

// A record that says its shape may lay the numbers out otherwise, but not have more or fewer.
void CheckShape(const TensorRequest& request, const NumberTensor& tensor) {
  if (tensor.shape_size().value_or(request.size()) == request.size()) return;
  Fail(request, "has shape " + ShapeText(tensor.Shape()) + "; " + ShapeText(request.shape) +
                    " was asked for");
}

void CheckKeys(const TensorRequest& request, const NumberTensor& tensor) {
  CheckShape(request, tensor);
  if (tensor.keys() == tensor.values()) return;
  Fail(request, "has " + std::to_string(tensor.keys()) + " keys and " +
                    std::to_string(tensor.values()) + " values");
}

// Puts keys and values into ascending order of the keys.
template <typename Number>
void Sort(std::vector<uint64_t>* keys, Number* values) {
  std::vector<size_t> order(keys->size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return (*keys)[a] < (*keys)[b]; });
  const std::vector<uint64_t> old_keys = *keys;
  const std::vector<Number> old_values(values, values + keys->size());
  for (size_t i = 0; i < order.size(); ++i) {
    (*keys)[i] = old_keys[order[i]];
    values[i] = old_values[order[i]];
  }
}

// The values and their keys: ascending, each once and within the shape.
template <typename Number>
void ReadSparse(const TensorRequest& request, const NumberTensor& tensor,
                std::vector<uint64_t>* keys, Number* values) {
  keys->resize(tensor.keys());
  tensor.CopyKeys(keys->data());
  tensor.CopyValues(values);
  if (!std::is_sorted(keys->begin(), keys->end())) Sort(keys, values);
  if (!keys->empty() && keys->back() >= request.size()) {
    Fail(request, "has the key " + std::to_string(keys->back()) + "; shape " +
                      ShapeText(request.shape) + " takes keys below " +
                      std::to_string(request.size()));
  }
  const auto twice = std::adjacent_find(keys->begin(), keys->end());
  if (twice != keys->end()) Fail(request, "has the key " + std::to_string(*twice) + " twice");
}

template <typename Number>
void FillDense(const TensorRequest& request, const NumberTensor& tensor, Number* row) {
  const size_t size = static_cast<size_t>(request.size());
  // A sparse tensor of zeros only has neither keys nor values, but a shape.
  const bool zeros = tensor.values() == 0 && tensor.shape_size().has_value();
  if (tensor.keys() == 0 && !zeros) {
    if (tensor.values() != size) {
      Fail(request, "has " + std::to_string(tensor.values()) + " values; shape " +
                        ShapeText(request.shape) + " takes " + std::to_string(size));
    }
    CheckShape(request, tensor);
    tensor.CopyValues(row);
    return;
  }
  CheckKeys(request, tensor);
  std::vector<Number> values(tensor.values());
  std::vector<uint64_t> keys;
  ReadSparse(request, tensor, &keys, values.data());
  std::fill(row, row + size, Number{0});
  for (size_t i = 0; i < keys.size(); ++i) row[keys[i]] = values[i];
}

void WriteIndex(int64_t row, uint64_t key, const std::vector<int64_t>& shape, int64_t* index) {
  index[0] = row;
  for (size_t axis = shape.size(); axis > 1; --axis) {
    const uint64_t size = static_cast<uint64_t>(shape[axis - 1]);
    index[axis] = static_cast<int64_t>(key % size);
    key /= size;
  }
  index[1] = static_cast<int64_t>(key);  // what is left is below the first size
}

template <typename Number>
void FillSparse(const TensorRequest& request, const NumberTensor& tensor, int64_t row,
                int64_t* indices, Number* values, std::vector<uint64_t>* keys) {
  ReadSparse(request, tensor, keys, values);
  for (size_t i = 0; i < keys->size(); ++i) {
    WriteIndex(row, (*keys)[i], request.shape, indices + i * (1 + request.shape.size()));
  }
}

// Calls `fill` with `numbers` as a pointer to the request's type.
template <typename Fill>
void AsNumbers(const TensorRequest& request, void* numbers, const Fill& fill) {
  switch (request.kind) {
    case TensorKind::kFloat32:
      return fill(static_cast<float*>(numbers));
    case TensorKind::kFloat64:
      return fill(static_cast<double*>(numbers));
    default:
      return fill(static_cast<int32_t*>(numbers));
  }
}

}  // namespace

void CheckKind(const TensorRequest& request, const TensorMessage& message,
               std::string_view record) {
  if (!message.present()) {
    throw Error(ErrorKind::kInvalidArgument,
                "no " + request.Describe() + "; the record has " + NamesIn(record));
  }
  if (message.kind() != request.kind) {
    Fail(request, std::string("holds ") + TensorKindName(message.kind()) + "; " +
                      TensorKindName(request.kind) + " was asked for");
  }
}

void FillDenseRow(const TensorRequest& request, const TensorMessage& message, void* row) {
  WithTensor(request, message, [&](const NumberTensor& tensor) {
    AsNumbers(request, row, [&](auto* numbers) { FillDense(request, tensor, numbers); });
  });
}

size_t CountSparseValues(const TensorRequest& request, const TensorMessage& message) {
  return WithTensor(request, message, [&](const NumberTensor& tensor) {
    if (tensor.keys() == 0 && tensor.values() > 0) {
      Fail(request, "has " + std::to_string(tensor.values()) +
                        " values without keys: a dense tensor; ask for it with a tf.TensorSpec");
    }
    CheckKeys(request, tensor);
    return tensor.values();
  });
}

void FillSparseRow(const TensorRequest& request, const TensorMessage& message, int64_t row,
                   int64_t* indices, void* values, std::vector<uint64_t>* keys) {
  WithTensor(request, message, [&](const NumberTensor& tensor) {
    AsNumbers(request, values,
              [&](auto* numbers) { FillSparse(request, tensor, row, indices, numbers, keys); });
  });
}

}  // namespace smtf
