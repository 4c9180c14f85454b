#include "fetch_job.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace {

// A line an object: key, size and ETag between tabs.
std::vector<FetchJob::Object> ReadObjects(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::vector<FetchJob::Object> objects;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    FetchJob::Object object;
    if (!std::getline(fields, object.key, '\t') || !(fields >> object.size >> object.etag)) {
      throw std::runtime_error(path + ": not key, size and ETag: " + line);
    }
    objects.push_back(object);
  }
  return objects;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

FetchJob ParseFetchJob(int argc, char** argv) {
  FetchJob job;
  const std::map<std::string, std::function<void(const std::string&)>> options = {
      {"--endpoint", [&](const std::string& value) { job.endpoint_url = value; }},
      {"--bucket", [&](const std::string& value) { job.bucket = value; }},
      {"--objects", [&](const std::string& value) { job.objects = ReadObjects(value); }},
      {"--connections", [&](const std::string& value) { job.connections = std::stoi(value); }},
      {"--part-bytes", [&](const std::string& value) { job.part_bytes = std::stoull(value); }},
      {"--memory-bytes", [&](const std::string& value) { job.memory_bytes = std::stoull(value); }},
      {"--ca", [&](const std::string& value) { job.ca = value; }},
  };
  for (int i = 1; i < argc; i += 2) {
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc) {
      throw std::runtime_error(std::string("no such option, or no value for it: ") + argv[i]);
    }
    option->second(argv[i + 1]);
  }
  if (job.endpoint_url.empty() || job.bucket.empty() || job.objects.empty()) {
    throw std::runtime_error("--endpoint, --bucket and --objects are needed");
  }
  return job;
}

void TimeAndPrint(const std::function<uint64_t()>& fetch,
                  const std::function<std::string()>& more) {
  const double cpu_before = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t bytes = fetch();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double cpu_seconds = CpuSeconds() - cpu_before;
  std::printf("{\"bytes\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f%s}\n",
              static_cast<unsigned long long>(bytes), took.count(), cpu_seconds, more().c_str());
}
