// The schema of the op that makes strings of bytes that lie one behind the other. The kernel is in
// cut_strings_kernel.cc.

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace tensorflow {
namespace {

REGISTER_OP("SmtfCutStrings")
    .Input("data: N * uint8")
    .Input("ends: N * int64")
    .Output("strings: string")
    .Attr("N: int >= 1")
    .SetShapeFn([](shape_inference::InferenceContext* c) {
      c->set_output(0, c->Vector(shape_inference::InferenceContext::kUnknownDim));
      return absl::OkStatus();
    })
    .Doc(R"doc(
A tensor of strings out of pieces of memory, in each of which strings lie one behind the other.

data: Of each piece, its bytes.
ends: Of each piece, 1 + the number of its strings: where the first begins, and where each ends.
strings: The strings of all pieces, one piece behind the other.
)doc");

}  // namespace
}  // namespace tensorflow
