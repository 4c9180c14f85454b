#include "pipe/missing_pipe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "pipe/directory_names.h"
#include "pipe/feed_status.h"
#include "pipe/flock_holder.h"

namespace smtf {
namespace {

std::string Name(int64_t holder) {
  return holder == getpid() ? "another iterator of this process"
                            : "process " + std::to_string(holder);
}

std::string DescribeHeldPipe(const std::string& path) {
  const std::optional<int64_t> holder = FlockHolder(path);
  return (holder ? Name(*holder) : "another iterator or process") +
         " has opened it and waits for its first byte: read a channel by one at a time";
}

// Where our prefetcher is alive.
std::string DescribeWait(const MissingPipe& missing) {
  const std::string reader = DescribeReaderBefore(missing);
  if (reader.empty()) {
    return "the prefetcher is alive: an earlier epoch of this channel is still being read, or the "
           "state in " +
           missing.state_dir + " is of another run";
  }
  return reader +
         ": each epoch goes to one reader, and the next begins when it ends; give each of them a "
         "pipe of its own (pipes_per_channel=2 gives <channel>-0 and <channel>-1), or read them "
         "one after the other";
}

std::string DescribeCause(const MissingPipe& missing, const std::optional<Feeder>& feeder) {
  if (!feeder) {
    return "start the prefetcher (smtf stream, or Prefetcher in Python) with this pipe directory, "
           "or raise timeout";
  }
  if (feeder->alive) return DescribeWait(missing);
  return "the prefetcher of this channel (process " + std::to_string(feeder->pid) +
         ") is gone: start it again";
}

}  // namespace

std::string DescribeReaderBefore(const MissingPipe& missing) {
  if (missing.epoch == 0) return "";
  const uint64_t before = missing.epoch - 1;
  const auto holder = FlockHolder(FifoPath(missing.pipe_dir, missing.channel, before));
  if (!holder) return "";
  return "epoch " + std::to_string(before) + " is still being read by " + Name(*holder);
}

std::string DescribeMissingPipe(const MissingPipe& missing, const std::string& waited) {
  const std::optional<Feeder> feeder = ReadFeeder(missing.pipe_dir, missing.channel);
  const std::string path = FifoPath(missing.pipe_dir, missing.channel, missing.epoch);
  struct stat status{};
  const bool held = (!feeder || feeder->alive) && stat(path.c_str(), &status) == 0;
  return "the named pipe " + path +
         (held ? " was held by another reader for " : " did not appear in ") + waited + "; " +
         DescribeDirectory(missing.pipe_dir) + "; " +
         (held ? DescribeHeldPipe(path) : DescribeCause(missing, feeder));
}

}  // namespace smtf
