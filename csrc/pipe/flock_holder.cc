#include "pipe/flock_holder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace smtf {

std::optional<int64_t> FlockHolder(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  char file[64];
  std::snprintf(file, sizeof file, "%02x:%02x:%llu", major(status.st_dev), minor(status.st_dev),
                static_cast<unsigned long long>(status.st_ino));
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, strictness, access, locked;
    int64_t pid = 0;
    // A line "1: -> FLOCK ..." is of one who waits.
    if (words >> number >> kind >> strictness >> access >> pid >> locked && kind == "FLOCK" &&
        locked == file && pid > 0) {
      return pid;
    }
  }
  return std::nullopt;
}

}  // namespace smtf
