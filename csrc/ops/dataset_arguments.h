// What the op SmtfPipeModeDataset is called with, and what it means.
#ifndef SMTF_OPS_DATASET_ARGUMENTS_H_
#define SMTF_OPS_DATASET_ARGUMENTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "ops/epoch_reader.h"
#include "tensorflow/core/platform/errors.h"
#include "tensorflow/core/platform/tstring.h"

namespace smtf {

// The op's inputs, in the schema's order and under its names.
struct Arguments {
  tensorflow::tstring channel, record_format, pipe_dir, state_dir;
  int64_t batch_size = 0;
  bool drop_remainder = false;
  int64_t max_record_bytes = 0;
  int64_t max_corrupted_records_to_skip = 0;
  bool strip_carriage_return = false;
  int64_t timeout_ms = 0;
  int64_t stall_timeout_ms = 0;
  bool benchmark = false;
  int64_t benchmark_records_interval = 0;

  // Calls `visit(name, member)` for every input. What reads the arguments and what writes them back
  // into a graph both go through here, so neither can leave one out.
  template <typename Self, typename Visit>
  static absl::Status ForEach(Self& self, const Visit& visit) {
    TF_RETURN_IF_ERROR(visit("channel", self.channel));
    TF_RETURN_IF_ERROR(visit("record_format", self.record_format));
    TF_RETURN_IF_ERROR(visit("pipe_dir", self.pipe_dir));
    TF_RETURN_IF_ERROR(visit("state_dir", self.state_dir));
    TF_RETURN_IF_ERROR(visit("batch_size", self.batch_size));
    TF_RETURN_IF_ERROR(visit("drop_remainder", self.drop_remainder));
    TF_RETURN_IF_ERROR(visit("max_record_bytes", self.max_record_bytes));
    TF_RETURN_IF_ERROR(visit("max_corrupted_records_to_skip", self.max_corrupted_records_to_skip));
    TF_RETURN_IF_ERROR(visit("strip_carriage_return", self.strip_carriage_return));
    TF_RETURN_IF_ERROR(visit("timeout_ms", self.timeout_ms));
    TF_RETURN_IF_ERROR(visit("stall_timeout_ms", self.stall_timeout_ms));
    TF_RETURN_IF_ERROR(visit("benchmark", self.benchmark));
    return visit("benchmark_records_interval", self.benchmark_records_interval);
  }
};

// The op's attributes: what came after the first graphs were saved, which are to stay valid.
struct Attributes {
  std::string ring_address;
  int64_t first_epoch = -1;
  std::string dataset_id;

  // As Arguments::ForEach.
  template <typename Self, typename Visit>
  static absl::Status ForEach(Self& self, const Visit& visit) {
    TF_RETURN_IF_ERROR(visit("ring_address", self.ring_address));
    TF_RETURN_IF_ERROR(visit("first_epoch", self.first_epoch));
    return visit("dataset_id", self.dataset_id);
  }
};

absl::Status Validate(const Arguments& arguments, const Attributes& attributes);

// What is valid can be made. Throws an Error where the record format is none.
PipeModeConfig MakeConfig(const Arguments& arguments, const Attributes& attributes);

}  // namespace smtf

#endif  // SMTF_OPS_DATASET_ARGUMENTS_H_
