#include "ops/dataset_arguments.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "tensorflow/core/platform/logging.h"

namespace smtf {
namespace {

constexpr int64_t kMostPerBatch = std::numeric_limits<int32_t>::max();
constexpr uint64_t kMostRecordBytes = uint64_t{1} << 62;  // RecordReaderOptions' own bound

}  // namespace

absl::Status Validate(const Arguments& arguments, const Attributes& attributes) {
  const auto check = [](bool holds, const char* what) {
    return holds ? absl::OkStatus() : absl::InvalidArgumentError(what);
  };
  TF_RETURN_IF_ERROR(check(!arguments.channel.empty(), "channel must not be empty"));
  TF_RETURN_IF_ERROR(check(arguments.batch_size >= 0 && arguments.batch_size <= kMostPerBatch,
                           "batch_size must be from 0 to 2^31 - 1"));
  TF_RETURN_IF_ERROR(check(arguments.max_record_bytes > 0, "max_record_bytes must be positive"));
  TF_RETURN_IF_ERROR(check(arguments.max_corrupted_records_to_skip >= 0,
                           "max_corrupted_records_to_skip must not be negative"));
  TF_RETURN_IF_ERROR(check(arguments.timeout_ms >= 0, "timeout_ms must not be negative"));
  TF_RETURN_IF_ERROR(
      check(arguments.stall_timeout_ms >= 0, "stall_timeout_ms must not be negative"));
  TF_RETURN_IF_ERROR(check(arguments.benchmark_records_interval >= 0,
                           "benchmark_records_interval must not be negative"));
  return check(attributes.first_epoch >= -1, "first_epoch must be -1 for the next, or from 0");
}

PipeModeConfig MakeConfig(const Arguments& arguments, const Attributes& attributes) {
  PipeModeConfig config;
  config.channel = arguments.channel;
  config.pipe_dir = arguments.pipe_dir;
  config.state_dir = arguments.state_dir;
  config.ring_address = attributes.ring_address;
  config.timeout = std::chrono::milliseconds(arguments.timeout_ms);
  config.stall_timeout = std::chrono::milliseconds(arguments.stall_timeout_ms);
  config.log = [](const std::string& line) { LOG(WARNING) << line; };
  // Many scripts leave warnings out, and this is about records that one may miss.
  config.on_conflict = [](const std::string& line) { LOG(ERROR) << line; };
  config.dataset_id = attributes.dataset_id;
  if (attributes.first_epoch >= 0) {
    config.first_epoch = static_cast<uint64_t>(attributes.first_epoch);
  }
  config.record_format = ParseRecordFormat(std::string(arguments.record_format));
  // Whoever gives the largest number that there is wants no bound.
  config.records.max_record_bytes =
      std::min(static_cast<uint64_t>(arguments.max_record_bytes), kMostRecordBytes);
  config.records.max_corrupted_records_to_skip =
      static_cast<uint64_t>(arguments.max_corrupted_records_to_skip);
  config.records.strip_carriage_return = arguments.strip_carriage_return;
  config.records.on_skipped = [](const CorruptRecordError& error) {
    LOG(WARNING) << "skipped: " << error.what();
  };
  return config;
}

}  // namespace smtf
