// Everything that one iterator owns to read one epoch, without TensorFlow.
#ifndef SMTF_OPS_EPOCH_READER_H_
#define SMTF_OPS_EPOCH_READER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "framing/record_reader.h"
#include "ops/split_source.h"
#include "pipe/epoch_source.h"
#include "pipe/wakeup.h"

namespace smtf {

// What a dataset was made with.
struct PipeModeConfig {
  std::string channel;
  // Of a prefetcher that feeds a ring; empty where the epochs come through named pipes.
  std::string ring_address;
  std::string pipe_dir;
  std::string state_dir;
  std::chrono::milliseconds timeout{120'000};
  std::chrono::milliseconds stall_timeout{600'000};
  std::function<void(const std::string&)> log;
  // See ChannelPipeOptions.
  std::function<void(const std::string&)> on_conflict;
  RecordFormat record_format = RecordFormat::kRecordIO;
  RecordReaderOptions records;
  // See first_epoch.h.
  std::optional<uint64_t> first_epoch;
  std::string dataset_id;
};

// The records of the channel's next epoch. The wakeup may be signalled by any thread and ends every
// wait; everything else is for one thread at a time.
class EpochReader {
 public:
  // With `next` the objects that it gives, in the place of an epoch; for rings only.
  explicit EpochReader(const PipeModeConfig& config, NextObject next = nullptr);

  RecordReader& records() { return *records_; }
  const EpochSource& source() const { return *source_; }
  EpochSource& source() { return *source_; }
  Wakeup* wakeup() { return &wakeup_; }

 private:
  Wakeup wakeup_;
  const std::unique_ptr<EpochSource> source_;
  const std::unique_ptr<RecordReader> records_;
};

}  // namespace smtf

#endif  // SMTF_OPS_EPOCH_READER_H_
