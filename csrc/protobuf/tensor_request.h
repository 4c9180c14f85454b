// What is asked of each record: a tensor by its name, type and shape.
#ifndef SMTF_PROTOBUF_TENSOR_REQUEST_H_
#define SMTF_PROTOBUF_TENSOR_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protobuf/record_message.h"

namespace smtf {

struct TensorRequest {
  RecordMap map = RecordMap::kFeatures;
  std::string name;
  TensorKind kind = TensorKind::kFloat32;  // one of the three with numbers
  // Of one record's tensor. Sizes are not negative and their product fits an int64_t.
  std::vector<int64_t> shape;

  // Numbers in a dense tensor of this shape; a key is smaller.
  uint64_t size() const;
  // "feature 'values'" or "label 'values'".
  std::string Describe() const;
};

// "[28, 28]".
template <typename Size>
std::string ShapeText(const std::vector<Size>& shape) {
  std::string text;
  for (const Size size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

}  // namespace smtf

#endif  // SMTF_PROTOBUF_TENSOR_REQUEST_H_
