// Feed of the module _prefetch.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "prefetch/feed.h"
#include "python/prefetch_bindings.h"

namespace py = pybind11;

namespace smtf {
namespace {

using ReleaseGil = py::call_guard<py::gil_scoped_release>;

// Stopping a feed joins its threads, and so does its destructor.
struct DeleteWithoutGil {
  void operator()(Feed* feed) const {
    py::gil_scoped_release release;
    delete feed;
  }
};
using FeedHolder = std::unique_ptr<Feed, DeleteWithoutGil>;

py::dict ToDict(const Stats& stats) {
  py::dict dict;
  dict["bytes_fetched"] = stats.bytes_fetched;
  dict["bytes_written"] = stats.bytes_written;
  dict["objects"] = stats.objects;
  dict["epoch"] = stats.epoch;
  dict["epochs_done"] = stats.epochs_done;
  dict["retries"] = stats.retries;
  dict["throttled"] = stats.throttled;
  dict["hedges"] = stats.hedges;
  dict["hedges_won"] = stats.hedges_won;
  dict["checksums_verified"] = stats.checksums_verified;
  dict["reader_waited"] = stats.reader_waited;
  dict["feeder_waited"] = stats.feeder_waited;
  dict["stalls"] = stats.stalls;
  dict["queue_bytes"] = stats.queue_bytes;
  dict["queue_parts"] = stats.queue_parts;
  dict["memory_bytes"] = stats.memory_bytes;
  dict["connections"] = stats.connections;
  dict["connections_limit"] = stats.connections_limit;
  dict["part_bytes"] = stats.part_bytes;
  dict["listed_objects"] = stats.listed_objects;
  dict["listed_bytes"] = stats.listed_bytes;
  dict["error"] = py::reinterpret_steal<py::str>(PyUnicode_DecodeUTF8(
      stats.error.data(), static_cast<Py_ssize_t>(stats.error.size()), "replace"));
  return dict;
}

FeedHolder MakeFeed(std::string channel, std::string pipe_dir, std::string ring_address,
                    std::shared_ptr<ObjectSource> source, std::shared_ptr<ObjectList> objects,
                    int connections, int most_connections, size_t part_bytes,
                    size_t first_part_bytes, size_t memory_bytes, double retry_seconds,
                    unsigned retry_tries, double stall_seconds, bool hedging,
                    std::optional<uint64_t> shuffle_seed, uint32_t group, uint32_t shards,
                    uint32_t shard, bool gunzip, bool wrap_recordio, bool frame_objects) {
  py::gil_scoped_release release;
  FeedOptions options;
  options.channel = std::move(channel);
  options.pipe_dir = std::move(pipe_dir);
  options.ring_address = std::move(ring_address);
  options.stall_seconds = stall_seconds;
  options.queue.tuner.connections = connections;
  options.queue.tuner.most_connections = most_connections;
  options.queue.tuner.part_bytes = part_bytes;
  options.queue.tuner.memory_bytes = memory_bytes;
  options.queue.plan.first_part_bytes = first_part_bytes;
  options.queue.plan.order = {shuffle_seed, group, shards, shard};
  options.queue.plan.keep_empty = wrap_recordio || frame_objects;
  options.queue.plan_next_epoch = !frame_objects;  // who needs to know the objects reads them once
  options.queue.retry = {retry_tries, retry_seconds};
  options.queue.hedging = hedging;
  options.encoding.gunzip = gunzip;
  options.encoding.wrap_recordio = wrap_recordio;
  options.encoding.frame_objects = frame_objects;
  options.encoding.max_held_bytes = memory_bytes;
  return FeedHolder(new Feed(std::move(options), std::move(source), std::move(objects)));
}

}  // namespace

void DefineFeed(py::module_* module) {
  const FeedOptions defaults;
  const PartQueueOptions& queue = defaults.queue;
  py::class_<Feed, FeedHolder>(*module, "Feed")
      .def(py::init(&MakeFeed), py::kw_only(), py::arg("channel"),
           py::arg("pipe_dir") = defaults.pipe_dir, py::arg("ring_address") = defaults.ring_address,
           py::arg("source").none(false), py::arg("objects").none(false),
           py::arg("connections") = queue.tuner.connections,
           py::arg("most_connections") = queue.tuner.most_connections,
           py::arg("part_bytes") = queue.tuner.part_bytes,
           py::arg("first_part_bytes") = queue.plan.first_part_bytes,
           py::arg("memory_bytes") = queue.tuner.memory_bytes,
           py::arg("retry_seconds") = queue.retry.seconds,
           py::arg("retry_tries") = queue.retry.tries,
           py::arg("stall_seconds") = defaults.stall_seconds, py::arg("hedging") = queue.hedging,
           py::arg("shuffle_seed") = py::none(), py::arg("group") = queue.plan.order.group,
           py::arg("shards") = queue.plan.order.shards, py::arg("shard") = queue.plan.order.shard,
           py::arg("gunzip") = defaults.encoding.gunzip,
           py::arg("wrap_recordio") = defaults.encoding.wrap_recordio,
           py::arg("frame_objects") = defaults.encoding.frame_objects)
      .def("start", &Feed::Start, ReleaseGil())
      .def("stop", &Feed::Stop, ReleaseGil())
      .def("connections", &Feed::connections, ReleaseGil())
      .def("stats", [](const Feed& feed) {
        Stats stats;
        {
          py::gil_scoped_release release;
          stats = feed.stats();
        }
        return ToDict(stats);
      });
}

}  // namespace smtf
