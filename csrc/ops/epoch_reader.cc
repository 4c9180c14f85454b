#include "ops/epoch_reader.h"

#include <utility>

#include "pipe/channel_pipe.h"
#include "ring/ring_source.h"

namespace smtf {
namespace {

std::unique_ptr<EpochSource> MakeRing(const PipeModeConfig& config, NextObject next,
                                      const Wakeup* cancel) {
  RingSourceOptions options;
  options.address = config.ring_address;
  options.channel = config.channel;
  options.timeout = config.timeout;
  options.stall_timeout = config.stall_timeout;
  options.log = config.log;
  if (next) return std::make_unique<SplitSource>(std::move(options), std::move(next), cancel);
  return std::make_unique<RingSource>(std::move(options), cancel);
}

std::unique_ptr<EpochSource> MakePipe(const PipeModeConfig& config, const Wakeup* cancel) {
  ChannelPipeOptions options;
  options.channel = config.channel;
  options.pipe_dir = config.pipe_dir;
  options.state_dir = config.state_dir;
  options.timeout = config.timeout;
  options.stall_timeout = config.stall_timeout;
  options.log = config.log;
  options.on_conflict = config.on_conflict;
  return std::make_unique<ChannelPipe>(std::move(options), cancel);
}

}  // namespace

EpochReader::EpochReader(const PipeModeConfig& config, NextObject next)
    : source_(config.ring_address.empty() ? MakePipe(config, &wakeup_)
                                          : MakeRing(config, std::move(next), &wakeup_)),
      records_(MakeRecordReader(config.record_format, source_.get(), config.records)) {}

}  // namespace smtf
