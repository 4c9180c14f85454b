// fetch_s3 OPTIONS: reads objects into memory, in order, with the prefetcher's engine and nothing
// behind it. The options are those of fetch_job.h; --connections 0 and --part-bytes 0 are found at
// run time; what was found last is printed too, and what was fetched again.

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "fetch_job.h"
#include "prefetch/part_fetchers.h"
#include "prefetch/part_queue.h"
#include "s3/s3_object_source.h"

namespace {

smtf::S3Options SourceOptions(const FetchJob& job) {
  smtf::S3Options options;
  options.endpoint_url = job.endpoint_url;
  options.bucket = job.bucket;
  options.region = "us-east-1";
  options.ca_bundle = job.ca;
  return options;
}

smtf::PartQueueOptions QueueOptions(const FetchJob& job) {
  smtf::PartQueueOptions options;
  options.tuner.connections = job.connections;
  options.tuner.part_bytes = job.part_bytes;
  options.tuner.memory_bytes = job.memory_bytes;
  return options;
}

class Engine {
 public:
  explicit Engine(const FetchJob& job)
      : objects_(std::make_shared<smtf::ObjectList>()),
        source_(SourceOptions(job)),
        queue_(QueueOptions(job), objects_),
        fetchers_(&queue_, &source_, {}) {
    source_.SetCredentials({"access", "secret", ""});
    for (const FetchJob::Object& object : job.objects) {
      objects_->Append(object.key, object.size, object.etag);
    }
    objects_->Finish();
  }
  ~Engine() { queue_.Stop(); }

  uint64_t FetchAll() {
    queue_.BeginEpoch(0);
    fetchers_.Start();
    for (uint64_t bytes = 0;;) {
      const smtf::PartQueue::Popped popped = queue_.Pop();
      switch (popped.what) {
        case smtf::PartQueue::Popped::What::kPart:
          bytes += popped.part->bytes().size();
          break;
        case smtf::PartQueue::Popped::What::kEnd:
          return bytes;
        case smtf::PartQueue::Popped::What::kFailed:
          throw std::runtime_error(source_.Describe(popped.part->spec.object) + ": " +
                                   popped.part->failure.what);
        case smtf::PartQueue::Popped::What::kStarved:
          break;  // nothing is kept here: the buffers have come back meanwhile
        case smtf::PartQueue::Popped::What::kStopped:
          throw std::logic_error("the queue was stopped by nobody");
      }
    }
  }

  std::string Found() const {
    smtf::Stats stats;
    queue_.AddTo(&stats);
    return ", \"connections\": " + std::to_string(stats.connections_limit) +
           ", \"part_bytes\": " + std::to_string(stats.part_bytes) +
           ", \"hedges\": " + std::to_string(stats.hedges) +
           ", \"retries\": " + std::to_string(stats.retries);
  }

 private:
  const std::shared_ptr<smtf::ObjectList> objects_;
  smtf::S3ObjectSource source_;
  smtf::PartQueue queue_;
  smtf::PartFetchers fetchers_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    Engine engine(ParseFetchJob(argc, argv));
    TimeAndPrint([&] { return engine.FetchAll(); }, [&] { return engine.Found(); });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fetch_s3: %s\n", error.what());
    return 1;
  }
}
