// Everything that one iterator owns to read one epoch, without TensorFlow.
#ifndef SMTF_OPS_EPOCH_READER_H_
#define SMTF_OPS_EPOCH_READER_H_

#include <memory>

#include "framing/record_reader.h"
#include "pipe/channel_pipe.h"
#include "pipe/wakeup.h"

namespace smtf {

// What a dataset was made with.
struct PipeModeConfig {
  ChannelPipeOptions pipe;
  RecordFormat record_format = RecordFormat::kRecordIO;
  RecordReaderOptions records;
};

// The records of the channel's next epoch. The wakeup may be signalled by any thread and ends every
// wait; everything else is for one thread at a time.
class EpochReader {
 public:
  explicit EpochReader(const PipeModeConfig& config)
      : pipe_(config.pipe, &wakeup_),
        records_(MakeRecordReader(config.record_format, &pipe_, config.records)) {}

  RecordReader& records() { return *records_; }
  const ChannelPipe& pipe() const { return pipe_; }
  ChannelPipe& pipe() { return pipe_; }
  Wakeup* wakeup() { return &wakeup_; }

 private:
  Wakeup wakeup_;
  ChannelPipe pipe_;
  std::unique_ptr<RecordReader> records_;
};

}  // namespace smtf

#endif  // SMTF_OPS_EPOCH_READER_H_
