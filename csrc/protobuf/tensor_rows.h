// The tensors of one record as rows of a batch.
//
// Every function throws an Error of kind kInvalidArgument that names the feature or label, what was
// asked for and what was seen; which record of the batch it was, the caller knows.
#ifndef SMTF_PROTOBUF_TENSOR_ROWS_H_
#define SMTF_PROTOBUF_TENSOR_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "protobuf/record_message.h"
#include "protobuf/tensor_request.h"

namespace smtf {

// Throws unless `message`, found in `record`, is there and of the request's kind.
void CheckKind(const TensorRequest& request, const TensorMessage& message, std::string_view record);

// Writes request.size() numbers of the request's type to `row`. Of a sparse tensor those without a
// key are 0. `message` has passed CheckKind.
void FillDenseRow(const TensorRequest& request, const TensorMessage& message, void* row);

// How many values a sparse tensor has. `message` has passed CheckKind, and the request's shape has
// a dimension.
size_t CountSparseValues(const TensorRequest& request, const TensorMessage& message);

// Writes the CountSparseValues(...) values of a tensor to `values`, by ascending key, and to
// `indices` 1 + rank numbers for each: the row, and its place in the request's shape. `keys` is
// memory that calls in a row reuse.
void FillSparseRow(const TensorRequest& request, const TensorMessage& message, int64_t row,
                   int64_t* indices, void* values, std::vector<uint64_t>* keys);

}  // namespace smtf

#endif  // SMTF_PROTOBUF_TENSOR_ROWS_H_
