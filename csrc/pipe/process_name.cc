#include "pipe/process_name.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

namespace smtf {
namespace {

struct ProcessStatus {
  char state = 0;
  uint64_t start = 0;
  uint64_t memory_bytes = 0;  // virtual
};

// proc_pid_stat(5): fields 3, 22 and 23, behind a name in parentheses that may hold anything.
std::optional<ProcessStatus> ReadStatus(int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  if (!(fields >> status.start >> status.memory_bytes)) return std::nullopt;
  return status;
}

uint64_t OwnNamespace() {
  struct stat status{};
  return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

}  // namespace

ProcessName ThisProcess() {
  const std::optional<ProcessStatus> status = ReadStatus(getpid());
  if (!status) return {};
  return {getpid(), status->start, OwnNamespace()};
}

bool Lives(const ProcessName& process) {
  if (process.pid_namespace != OwnNamespace()) return false;
  const std::optional<ProcessStatus> status = ReadStatus(process.pid);
  // Memory is what a process gives back first as it ends, and that can take seconds.
  return status && status->start == process.start && status->state != 'Z' && status->state != 'X' &&
         status->memory_bytes > 0;
}

}  // namespace smtf
