// Who has a file locked, for error messages.
#ifndef SMTF_PIPE_FLOCK_HOLDER_H_
#define SMTF_PIPE_FLOCK_HOLDER_H_

#include <cstdint>
#include <optional>
#include <string>

namespace smtf {

// The process that holds a flock() on the file, by /proc/locks (proc_locks(5)). Nothing where
// nobody does, or where that is not to be seen: in another PID namespace, or without /proc.
std::optional<int64_t> FlockHolder(const std::string& path);

}  // namespace smtf

#endif  // SMTF_PIPE_FLOCK_HOLDER_H_
