// The schema of the op that parses Amazon's RecordIO-protobuf records. The kernel is in
// parse_record_kernel.cc, the format in csrc/protobuf.

#include <string>
#include <vector>

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace tensorflow {
namespace {

using shape_inference::DimensionHandle;
using shape_inference::InferenceContext;
using shape_inference::ShapeHandle;

// Outputs come in the schema's order: dense, then indices, values and shapes of the sparse ones.
absl::Status InferShapes(InferenceContext* c) {
  ShapeHandle records;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 1, &records));
  std::vector<PartialTensorShape> dense, sparse;
  TF_RETURN_IF_ERROR(c->GetAttr("dense_shapes", &dense));
  TF_RETURN_IF_ERROR(c->GetAttr("sparse_shapes", &sparse));
  int output = 0;
  for (const PartialTensorShape& shape : dense) {
    ShapeHandle row, batch;
    TF_RETURN_IF_ERROR(c->MakeShapeFromPartialTensorShape(shape, &row));
    TF_RETURN_IF_ERROR(c->Concatenate(records, row, &batch));
    c->set_output(output++, batch);
  }
  const int sparse_count = static_cast<int>(sparse.size());
  for (int i = 0; i < sparse_count; ++i) {
    const DimensionHandle values = c->UnknownDim();
    const int64_t rank = 1 + sparse[i].dims();
    c->set_output(output + i, c->Matrix(values, rank));
    c->set_output(output + sparse_count + i, c->Vector(values));
    c->set_output(output + 2 * sparse_count + i, c->Vector(rank));
  }
  return absl::OkStatus();
}

REGISTER_OP("SmtfParseRecordProtobuf")
    .Input("records: string")
    .Output("dense: dense_types")
    .Output("sparse_indices: num_sparse * int64")
    .Output("sparse_values: sparse_types")
    .Output("sparse_dense_shapes: num_sparse * int64")
    .Attr("dense_maps: list({'features', 'label'}) >= 0")
    .Attr("dense_names: list(string) >= 0")
    .Attr("dense_types: list({float, double, int32}) >= 0")
    .Attr("dense_shapes: list(shape) >= 0")
    .Attr("num_sparse: int >= 0")
    .Attr("sparse_maps: list({'features', 'label'}) >= 0")
    .Attr("sparse_names: list(string) >= 0")
    .Attr("sparse_types: list({float, double, int32}) >= 0")
    .Attr("sparse_shapes: list(shape) >= 0")
    .SetShapeFn(InferShapes)
    .Doc(R"doc(
Tensors of a batch of aialgs.data.Record messages, Amazon's RecordIO-protobuf format.

records: [N], a serialized message each, without RecordIO's framing.
dense: [N, ...shape] for each of dense_names.
sparse_indices: [values, 1 + rank] for each of sparse_names, in row-major order.
sparse_values: [values].
sparse_dense_shapes: [1 + rank], N and the shape.
dense_maps: For each of dense_names, which of a record's two maps has it.
dense_shapes: The shape in one record, fully defined. The attributes of sparse tensors are alike.
)doc");

}  // namespace
}  // namespace tensorflow
