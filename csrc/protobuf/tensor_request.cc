#include "protobuf/tensor_request.h"

namespace smtf {

uint64_t TensorRequest::size() const {
  uint64_t size = 1;
  for (const int64_t dimension : shape) size *= static_cast<uint64_t>(dimension);
  return size;
}

std::string TensorRequest::Describe() const {
  return (map == RecordMap::kFeatures ? "feature '" : "label '") + name + "'";
}

}  // namespace smtf
