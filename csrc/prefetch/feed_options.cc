#include "prefetch/feed_options.h"

#include <algorithm>
#include <cstddef>

#include "prefetch/buffer_pool.h"

namespace smtf {
namespace {

constexpr size_t kSmallestPart = 4096;
constexpr size_t kLargestPart = size_t{1} << 30;
constexpr int kMostConnections = 1024;

void Require(bool holds, const std::string& what) {
  if (!holds) throw Error(ErrorKind::kInvalidArgument, what);
}

}  // namespace

FeedOptions Checked(FeedOptions options) {
  const TunerOptions& tuner = options.queue.tuner;
  Require(!options.channel.empty() && options.channel.find('/') == std::string::npos,
          "'" + options.channel + "' cannot be a channel's name: it is part of a file's name");
  Require(options.pipe_dir.empty() != options.ring_address.empty(),
          "channel '" + options.channel + "' needs either pipe_dir or ring_address");
  Require(tuner.connections >= 0 && tuner.connections <= kMostConnections,
          "connections is " + std::to_string(tuner.connections) +
              "; it must be 1 to 1024, or 0 to have the number found");
  Require(
      tuner.most_connections >= 1 && tuner.most_connections <= kMostConnections,
      "most_connections is " + std::to_string(tuner.most_connections) + "; it must be 1 to 1024");
  Require(tuner.part_bytes == 0 ||
              (tuner.part_bytes >= kSmallestPart && tuner.part_bytes <= kLargestPart),
          "part_bytes is " + std::to_string(tuner.part_bytes) +
              "; it must be 4 KiB to 1 GiB, or 0 to have the size found");
  Require(options.queue.plan.first_part_bytes >= 1, "first_part_bytes is 0; it must be at least 1");
  const size_t least = BufferPool::CapacityFor(std::max(tuner.part_bytes, kSmallestPart));
  Require(tuner.memory_bytes >= least, "memory_bytes is " + std::to_string(tuner.memory_bytes) +
                                           "; one part's buffer alone takes " +
                                           std::to_string(least));
  Require(options.queue.retry.tries >= 1, "retry_tries is 0; it must be at least 1");
  Require(options.queue.retry.seconds >= 0, "retry_seconds must not be negative");
  Require(options.stall_seconds > 0, "stall_seconds must be positive");
  return options;
}

std::string DescribeSettings(const FeedOptions& options) {
  const OrderOptions& order = options.queue.plan.order;
  std::string text =
      order.shuffle_seed ? "shuffled with seed " + std::to_string(*order.shuffle_seed) : "in order";
  if (order.group > 1) text += ", in groups of " + std::to_string(order.group);
  text += ", shard " + std::to_string(order.shard) + " of " + std::to_string(order.shards);
  if (options.encoding.gunzip) text += ", decompressed";
  if (options.encoding.wrap_recordio) text += ", wrapped in RecordIO";
  return text;
}

std::optional<Error> RefuseObjects(const FeedOptions& options) {
  if (options.queue.plan.order.shards <= 1) return std::nullopt;
  return Error(ErrorKind::kFailedPrecondition,
               "channel '" + options.channel +
                   "' is dealt to shards, so its objects cannot be dealt again; use either "
                   "S3DataDistributionType or the sharding of the tf.data service");
}

std::optional<Error> RefusePosition(const FeedOptions& options, const StreamPosition& position,
                                    const std::string& what) {
  if (options.encoding.frame_objects) {
    return Error(ErrorKind::kInvalidArgument, what + ": a stream of framed objects has no epochs");
  }
  const std::string settings = DescribeSettings(options);
  if (position.settings.empty() || position.settings == settings) return std::nullopt;
  return Error(ErrorKind::kFailedPrecondition,
               what + ": it was saved of a channel that is " + position.settings +
                   ", and this one is " + settings +
                   "; start the prefetcher as it was, or begin without the checkpoint");
}

}  // namespace smtf
