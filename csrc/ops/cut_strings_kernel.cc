// The kernel that cuts strings out of memory: a loop that Python need not make, and that needs no
// GIL.

#include <cstdint>

#include "tensorflow/core/framework/op_kernel.h"

namespace smtf {
namespace {

using tensorflow::OpInputList;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::tstring;

absl::Status Check(const Tensor& data, const Tensor& ends) {
  if (data.dims() != 1 || ends.dims() != 1 || ends.dim_size(0) < 1) {
    return absl::InvalidArgumentError(
        "SmtfCutStrings takes vectors, and ends begin with where the first string does");
  }
  const auto limits = ends.vec<int64_t>();
  int64_t before = 0;
  for (int64_t i = 0; i < limits.size(); ++i) {
    if (limits(i) < before) {
      return absl::InvalidArgumentError("SmtfCutStrings: a string ends before it begins");
    }
    before = limits(i);
  }
  if (before <= data.dim_size(0)) return absl::OkStatus();
  return absl::InvalidArgumentError("SmtfCutStrings: a string ends behind the data");
}

class CutStringsOp : public tensorflow::OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* ctx) override {
    OpInputList data, ends;
    OP_REQUIRES_OK(ctx, ctx->input_list("data", &data));
    OP_REQUIRES_OK(ctx, ctx->input_list("ends", &ends));
    int64_t count = 0;
    for (int piece = 0; piece < data.size(); ++piece) {
      OP_REQUIRES_OK(ctx, Check(data[piece], ends[piece]));
      count += ends[piece].dim_size(0) - 1;
    }
    Tensor* strings = nullptr;
    OP_REQUIRES_OK(ctx, ctx->allocate_output(0, TensorShape({count}), &strings));
    tstring* next = strings->vec<tstring>().data();
    for (int piece = 0; piece < data.size(); ++piece) {
      next = Cut(data[piece], ends[piece], next);
    }
  }

 private:
  // Returns where the strings of the next piece go.
  static tstring* Cut(const Tensor& data, const Tensor& ends, tstring* next) {
    const auto* bytes = reinterpret_cast<const char*>(data.vec<uint8_t>().data());
    const auto limits = ends.vec<int64_t>();
    for (int64_t i = 1; i < limits.size(); ++i) {
      (next++)->assign(bytes + limits(i - 1), limits(i) - limits(i - 1));
    }
    return next;
  }
};

REGISTER_KERNEL_BUILDER(Name("SmtfCutStrings").Device(tensorflow::DEVICE_CPU), CutStringsOp);

}  // namespace
}  // namespace smtf
