// list_keys ENDPOINT_URL CONNECTIONS: lists the bucket "bucket" into an ObjectList, as the
// prefetcher does, and prints JSON: how many keys, seconds to the end and to the first page, CPU
// seconds and what it took in memory.

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "prefetch/object_list.h"
#include "s3/s3_listing.h"
#include "s3/s3_object_source.h"

namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

// VmRSS or VmHWM; getrusage's peak is also that of whoever started this process.
uint64_t ResidentBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoull(line.substr(field.size() + 1)) * 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + field);
}

void Run(const char* url, int connections) {
  smtf::S3Options options;
  options.endpoint_url = url;
  options.bucket = "bucket";
  options.region = "us-east-1";
  const auto source = std::make_shared<smtf::S3ObjectSource>(options);
  source->SetCredentials({"AKIDEXAMPLE", "secret", ""});
  smtf::S3Listing listing(source, "", "", connections);
  smtf::ObjectList objects;
  const uint64_t resident = ResidentBytes("VmRSS");
  const double cpu = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed = [begin] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  double first = 0;
  const uint64_t keys = listing.Run([&](std::vector<smtf::ObjectRef> page) {
    if (first == 0) first = elapsed();
    objects.Append(page);
  });
  const double seconds = elapsed();
  const double peak = static_cast<double>(ResidentBytes("VmHWM") - resident);
  const double now = static_cast<double>(ResidentBytes("VmRSS") - resident);
  const double count = static_cast<double>(keys);
  std::printf(
      "{\"keys\": %.0f, \"seconds\": %.4f, \"first_page_seconds\": %.4f, \"cpu_seconds\": %.4f, "
      "\"peak_bytes_per_key\": %.1f, \"bytes_per_key\": %.1f}\n",
      count, seconds, first, CpuSeconds() - cpu, peak / count, now / count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: list_keys ENDPOINT_URL CONNECTIONS\n");
    return 2;
  }
  try {
    Run(argv[1], std::stoi(argv[2]));
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "list_keys: %s\n", error.what());
    return 1;
  }
}
