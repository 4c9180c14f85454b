// A name for a process that no other has, by which others can tell whether it lives.
#ifndef SMTF_PIPE_PROCESS_NAME_H_
#define SMTF_PIPE_PROCESS_NAME_H_

#include <cstdint>

namespace smtf {

// What proc_pid_stat(5) and pid_namespaces(7) have of it. All zero where there is no /proc.
struct ProcessName {
  int64_t pid = 0;
  uint64_t start = 0;          // since the machine's, in clock ticks
  uint64_t pid_namespace = 0;  // the inode of its /proc/<pid>/ns/pid

  bool operator==(const ProcessName& other) const {
    return pid == other.pid && start == other.start && pid_namespace == other.pid_namespace;
  }
};

ProcessName ThisProcess();

// False for one of another PID namespace, which cannot be seen, for a zombie, and for one that has
// been killed and is on its way out.
bool Lives(const ProcessName& process);

}  // namespace smtf

#endif  // SMTF_PIPE_PROCESS_NAME_H_
