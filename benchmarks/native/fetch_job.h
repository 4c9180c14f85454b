// What bench_s3_stream.py asks of each of its clients, as the C++ ones read and answer it.
#ifndef SMTF_BENCHMARKS_NATIVE_FETCH_JOB_H_
#define SMTF_BENCHMARKS_NATIVE_FETCH_JOB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// The options are those of s3_clients/job.py.
struct FetchJob {
  struct Object {
    std::string key;
    uint64_t size = 0;
    std::string etag;  // with its quotes
  };
  std::string endpoint_url;
  std::string bucket;
  std::vector<Object> objects;
  int connections = 8;
  size_t part_bytes = 8 << 20;
  size_t memory_bytes = 256 << 20;
  std::string ca;  // a PEM file; empty for none
};

// Throws std::runtime_error.
FetchJob ParseFetchJob(int argc, char** argv);

// Runs `fetch`, which returns how many bytes it got, and prints {"bytes", "seconds",
// "cpu_seconds"}: wall time, and user and system time of this process, both of `fetch` alone.
// `more` is called after it and gives further fields, each behind a comma.
void TimeAndPrint(
    const std::function<uint64_t()>& fetch,
    const std::function<std::string()>& more = [] { return std::string(); });

#endif  // SMTF_BENCHMARKS_NATIVE_FETCH_JOB_H_
