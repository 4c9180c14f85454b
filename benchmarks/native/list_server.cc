// list_server LAYOUT COUNT LATENCY_MS: answers ListObjectsV2 for COUNT made-up keys on a free port
// of the loopback interface, as long as its stdin is open. Prints its URL, and how many requests
// came when it ends. The layouts, with keys of about 60 characters:
//   flat     numbers, no folders
//   folders  the same number of keys in each of 100 folders
//   hashes   hexadecimal digits at random, no folders

#include "s3/list_server.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

std::string MakeKey(const std::string& layout, uint64_t index, uint64_t count,
                    std::mt19937_64* random) {
  char text[96];
  const auto number = static_cast<unsigned long long>(index);
  if (layout == "flat") {
    std::snprintf(text, sizeof(text), "datasets/images/2024-05-01/train/sample-%012llu.tfrecord",
                  number);
  } else if (layout == "folders") {
    const uint64_t per_folder = std::max<uint64_t>(count / 100, 1);
    std::snprintf(text, sizeof(text), "datasets/images/train/class-%06llu/sample-%010llu.tfrecord",
                  static_cast<unsigned long long>(index / per_folder), number);
  } else if (layout == "hashes") {
    std::snprintf(text, sizeof(text), "datasets/images/train/%016llx%016llx.jpg",
                  static_cast<unsigned long long>((*random)()),
                  static_cast<unsigned long long>((*random)()));
  } else {
    throw std::runtime_error("there is no layout " + layout);
  }
  return text;
}

std::vector<smtf::StoredKey> MakeKeys(const std::string& layout, uint64_t count) {
  std::mt19937_64 random(1);
  std::vector<smtf::StoredKey> keys;
  keys.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    char etag[40];
    std::snprintf(etag, sizeof(etag), "\"%016llx%016llx\"",
                  static_cast<unsigned long long>(random()),
                  static_cast<unsigned long long>(random()));
    keys.push_back({MakeKey(layout, i, count, &random), random() % (1 << 20) + 1, etag});
  }
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return keys;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: list_server flat|folders|hashes COUNT LATENCY_MS\n");
    return 2;
  }
  try {
    smtf::ListServerOptions options;
    options.latency_seconds = std::stod(argv[3]) / 1000;
    options.only_canonical = false;
    smtf::ListServer server(MakeKeys(argv[1], std::stoull(argv[2])), std::move(options));
    std::printf("%s\n", server.url().c_str());
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    std::printf("%d\n", server.requests());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "list_server: %s\n", error.what());
    return 1;
  }
}
